import CLibvirt

/// Domains that are never defined and bear names that no VM can have, and their memory as a file.
extension Connection {
    /// Starts such a domain (`virDomainCreateXML`). With QEMU it ends with this connection (auto-destroyed), however that
    /// ends.
    func startTransientDomain(_ name: String, xml: String) async throws {
        let flags = driver == .test ? 0 : VIR_DOMAIN_START_AUTODESTROY.rawValue | VIR_DOMAIN_START_VALIDATE.rawValue
        try await change("virDomainCreateXML", name) { call in
            _ = try call.own(
                virDomainCreateXML(call.connection, xml, flags), "cannot start the domain \(name)",
                release: virDomainFree)
        }
    }

    /// Whether such a domain is active.
    func isTransientDomainActive(_ name: String) async throws -> Bool {
        try await read { call in
            try optional { virDomainIsActive(try Self.domain(call, name)) == 1 } ?? false
        }
    }

    /// Ends such a domain at once (`virDomainDestroy`); one that is missing is as good.
    func killTransientDomain(_ name: String) async throws {
        guard try await isTransientDomainActive(name) else { return }
        try await change("virDomainDestroy", name) { call in
            _ = try optional {
                let domain = try Self.domain(call, name)
                if virDomainDestroy(domain) < 0 && virDomainIsActive(domain) == 1 {
                    throw DevhostError.libvirt("cannot stop the domain \(name)")
                }
            }
        }
    }

    /// The names of the active domains that begin so.
    func activeDomains(prefix: String) async throws -> [String] {
        try await read { call in
            var names: [String] = []
            try Self.forEachNamedDomain(call, [VIR_CONNECT_LIST_DOMAINS_ACTIVE]) { _, name in
                if name.hasPrefix(prefix) { names.append(name) }
            }
            return names.sorted()
        }
    }

    /// Writes the memory of such a domain into a file, which libvirt makes for root alone, and ends it (`virDomainSave`).
    func saveTransientDomain(_ name: String, to path: String) async throws {
        try await change("virDomainSave", name) { call in
            try check(
                virDomainSave(try Self.domain(call, name), path), "cannot save the memory of \(name)")
        }
    }

    /// Starts a domain that is off from a file with saved memory whose XML bears its name and UUID
    /// (`virDomainRestoreFlags`). Its guest stands still until ``resumeDomain(_:)``; on the mock it runs.
    ///
    /// What is defined stays, and holds from the next start on.
    func restoreDomain(_ name: VMName, from path: String) async throws {
        let flags = driver == .test ? 0 : VIR_DOMAIN_SAVE_PAUSED.rawValue
        try await change("virDomainRestore", name.description) { call in
            try check(
                virDomainRestoreFlags(call.connection, path, nil, flags), "cannot start \(name) from saved memory")
        }
    }

    /// Gives the network card of a running domain the link and the filter that a definition has
    /// (`virDomainUpdateDeviceFlags`): the filter first, as libvirt's QEMU driver does it.
    func connectDomain(_ name: VMName, interface xml: String) async throws {
        try await changeDomain("virDomainUpdateDevice", name) {
            try check(
                virDomainUpdateDeviceFlags($0, xml, VIR_DOMAIN_AFFECT_LIVE.rawValue),
                "cannot connect the network card of \(name)")
        }
    }

    /// The version of libvirt that serves this connection, counted as the hypervisor's is (`virConnectGetLibVersion`).
    func libraryVersion() async throws -> UInt64 {
        try await read { call in
            var version: UInt = 0
            try check(virConnectGetLibVersion(call.connection, &version), "cannot ask libvirt for its version")
            return UInt64(version)
        }
    }

    /// What libvirt says of the host's processor (`virConnectGetCapabilities`, the element `cpu` of the host), without
    /// what changes from boot to boot.
    func processorDescription() async throws -> String {
        try await read { call in
            let text = try takeString(
                virConnectGetCapabilities(call.connection), "cannot ask libvirt for the host's processor")
            guard let start = text.firstRange(of: "<cpu>"),
                let end = text[start.upperBound...].firstRange(of: "</cpu>")
            else { return "" }
            return text[start.upperBound..<end.lowerBound].split(separator: "\n")
                .filter { !$0.contains("<counter") && !$0.contains("<microcode") }.joined(separator: "\n")
        }
    }
}
