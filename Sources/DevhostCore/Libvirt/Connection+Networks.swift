import CLibvirt

extension Connection {
    /// A network as libvirt has it.
    struct NetworkStatus: Sendable {
        let uuid: String
        let isActive: Bool
    }

    private static func network(_ call: LibvirtCall, _ name: String) throws -> OpaquePointer {
        try call.own(
            virNetworkLookupByName(call.connection, name), "cannot find the network \(name)", release: virNetworkFree)
    }

    /// The network of this name; nil where there is none.
    func networkStatus(_ name: String) async throws -> NetworkStatus? {
        try await read { call in
            try optional {
                let network = try Self.network(call, name)
                var uuid = [CChar](repeating: 0, count: Int(VIR_UUID_STRING_BUFLEN))
                try check(virNetworkGetUUIDString(network, &uuid), "cannot ask for the UUID of \(name)")
                let isActive = try check(virNetworkIsActive(network), "cannot ask for the state of \(name)")
                return NetworkStatus(uuid: Self.text(uuid), isActive: isActive == 1)
            }
        }
    }

    /// The definition of a network as it is in effect (`virNetworkGetXMLDesc`).
    func networkXML(_ name: String) async throws -> String {
        try await read { call in
            let network = try Self.network(call, name)
            return try takeString(virNetworkGetXMLDesc(network, 0), "cannot read the network \(name)")
        }
    }

    /// Defines a network that starts with the host (`virNetworkDefineXML`, `virNetworkSetAutostart`).
    func defineNetwork(_ name: String, xml: String) async throws {
        try await change("virNetworkDefineXML", name) { call in
            let network = try call.own(
                virNetworkDefineXML(call.connection, xml), "cannot define the network \(name)", release: virNetworkFree)
            try check(virNetworkSetAutostart(network, 1), "cannot let the network \(name) start with the host")
        }
    }

    /// Starts a network (`virNetworkCreate`).
    func startNetwork(_ name: String) async throws {
        try await change("virNetworkCreate", name) { call in
            let network = try Self.network(call, name)
            if virNetworkCreate(network) < 0 {
                let cause = LibvirtError.last()
                if virNetworkIsActive(network) == 1 { return }
                throw DevhostError(
                    cause.code, "cannot start the network \(name)",
                    next: "see with 'ip address' who else has its addresses or its bridge", underlying: cause)
            }
        }
    }

    /// Stops a network and removes its definition (`virNetworkDestroy`, `virNetworkUndefine`).
    func removeNetwork(_ name: String) async throws {
        guard let status = try await networkStatus(name) else { return }
        try await change("virNetworkUndefine", name) { call in
            let network = try Self.network(call, name)
            if status.isActive { try check(virNetworkDestroy(network), "cannot stop the network \(name)") }
            try check(virNetworkUndefine(network), "cannot remove the network \(name)")
        }
    }

    /// Adds an address that a network's DHCP server keeps for a MAC address, or removes one, now and for its next start
    /// (`virNetworkUpdate`).
    func updateReservation(_ name: String, adding: Bool, xml: String) async throws {
        try await change("virNetworkUpdate", "\(name) \(adding ? "add" : "delete") \(xml)") { call in
            let network = try Self.network(call, name)
            let command = adding ? VIR_NETWORK_UPDATE_COMMAND_ADD_LAST : VIR_NETWORK_UPDATE_COMMAND_DELETE
            let isActive = virNetworkIsActive(network) == 1
            let flags =
                VIR_NETWORK_UPDATE_AFFECT_CONFIG.rawValue | (isActive ? VIR_NETWORK_UPDATE_AFFECT_LIVE.rawValue : 0)
            try check(
                virNetworkUpdate(network, command.rawValue, VIR_NETWORK_SECTION_IP_DHCP_HOST.rawValue, -1, xml, flags),
                "cannot change the network \(name) by \(xml)")
        }
    }

    /// Defines a network filter, or changes it for every VM that uses it (`virNWFilterDefineXML`).
    func defineNetworkFilter(_ name: String, xml: String) async throws {
        try await change("virNWFilterDefineXML", name) { call in
            _ = try call.own(
                virNWFilterDefineXML(call.connection, xml), "cannot define the network filter \(name)",
                release: virNWFilterFree)
        }
    }

    /// A network filter as libvirt has it.
    struct NetworkFilterStatus: Sendable {
        let uuid: String
        let xml: String
    }

    /// The network filter of this name (`virNWFilterGetXMLDesc`); nil where there is none.
    func networkFilterStatus(_ name: String) async throws -> NetworkFilterStatus? {
        try await read { call in
            try optional {
                let filter = try call.own(
                    virNWFilterLookupByName(call.connection, name), "cannot find the network filter \(name)",
                    release: virNWFilterFree)
                var uuid = [CChar](repeating: 0, count: Int(VIR_UUID_STRING_BUFLEN))
                try check(virNWFilterGetUUIDString(filter, &uuid), "cannot ask for the UUID of \(name)")
                let xml = try takeString(
                    virNWFilterGetXMLDesc(filter, 0), "cannot read the network filter \(name)")
                return NetworkFilterStatus(uuid: Self.text(uuid), xml: xml)
            }
        }
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
    }

    /// Removes a network filter that no VM uses (`virNWFilterUndefine`).
    func removeNetworkFilter(_ name: String) async throws {
        guard try await networkFilterStatus(name) != nil else { return }
        try await change("virNWFilterUndefine", name) { call in
            let filter = try call.own(
                virNWFilterLookupByName(call.connection, name), "cannot find the network filter \(name)",
                release: virNWFilterFree)
            try check(virNWFilterUndefine(filter), "cannot remove the network filter \(name)")
        }
    }
}
