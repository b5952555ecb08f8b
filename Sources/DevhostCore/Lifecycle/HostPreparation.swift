/// What all VMs of a devhost share: storage pools, network filter, network. Looks first; a devhost that is prepared
/// costs a few questions to libvirt.
struct HostPreparation: Sendable {
    let devhost: Devhost
    let libvirt: Connection

    private var configuration: Configuration { devhost.configuration }
    private var network: Configuration.Network { configuration.network }

    /// The pools, by what they hold.
    static func imagePool(_ network: Configuration.Network) -> String { "\(network.name)-images" }
    static func diskPool(_ network: Configuration.Network) -> String { "\(network.name)-disks" }
    static func templatePool(_ network: Configuration.Network) -> String { "\(network.name)-templates" }
    static func firstBootPool(_ network: Configuration.Network) -> String { "\(network.name)-first-boot" }

    /// Sees to it that everything is there and running.
    func prepare() async throws {
        if try await isPrepared() { return }
        try await devhost.withHostLock {
            try Files.createDirectory(devhost.layout.state, mode: 0o755)
            try await preparePools()
            try await prepareFilter()
            try await prepareNetwork()
        }
    }

    private func isPrepared() async throws -> Bool {
        try await problems().isEmpty
    }

    /// Something that VMs share and that is not as it should be.
    struct Problem: Sendable {
        let subject: String
        let text: String
        /// Whether something else stands in its place, which ``prepare()`` does not touch.
        var isConflict = false
    }

    /// What ``prepare()`` would mend or refuse.
    func problems() async throws -> [Problem] {
        var problems: [Problem] = []
        for pool in pools where try await !libvirt.isPoolActive(pool.name) {
            problems.append(Problem(subject: "storage pool \(pool.name)", text: "it is not active"))
        }
        if libvirt.driver != .test {
            let status = try await libvirt.networkFilterStatus(network.name)
            let subject = "network filter \(network.name)"
            if status == nil {
                problems.append(Problem(subject: subject, text: "it does not exist"))
            } else if try status?.xml.contains(filter().digest().description) == false {
                problems.append(
                    Problem(subject: subject, text: "it is not the one that devhost.cfg and this machine ask for"))
            }
        }
        let subject = "network \(network.name)"
        let status = try await libvirt.networkStatus(network.name)
        if status == nil {
            problems.append(Problem(subject: subject, text: "it does not exist"))
        } else if try status?.uuid != definition.uuid() {
            problems.append(
                Problem(subject: subject, text: "it is not the one that devhost.cfg describes", isConflict: true))
        } else if status?.isActive != true {
            problems.append(Problem(subject: subject, text: "it is not active"))
        }
        return problems
    }

    private var pools: [PoolDefinition] {
        [
            PoolDefinition(name: Self.imagePool(network), path: devhost.layout.images),
            PoolDefinition(name: Self.diskPool(network), path: devhost.layout.disks),
            PoolDefinition(name: Self.firstBootPool(network), path: devhost.layout.firstBoot),
        ]
    }

    /// The pools alone: for what needs images and no network.
    func preparePools() async throws {
        for pool in pools { try await libvirt.ensurePool(pool.name, xml: pool.rendered, path: pool.path) }
    }

    /// Sees to it that libvirt sees what lies in the folders of the pools: in one that is not active, or not defined any
    /// more, it sees nothing.
    func activatePools() async throws {
        for pool in pools where try await !libvirt.isPoolActive(pool.name) {
            return try await devhost.withHostLock { try await preparePools() }
        }
    }

    /// The pool of templates, which a devhost without templates does without.
    func prepareTemplatePool() async throws {
        try Files.createDirectory(devhost.layout.templates, mode: 0o711)
        let pool = PoolDefinition(name: Self.templatePool(network), path: devhost.layout.templates)
        try await libvirt.ensurePool(pool.name, xml: pool.rendered, path: pool.path)
    }

    private func prepareFilter() async throws {
        guard libvirt.driver != .test else { return }
        let filter = try filter()
        let status = try await libvirt.networkFilterStatus(network.name)
        if let status, try status.xml.contains(filter.digest().description) { return }
        try await libvirt.defineNetworkFilter(network.name, xml: try filter.rendered(uuid: status?.uuid))
    }

    private func prepareNetwork() async throws {
        let wanted = try definition.uuid()
        var status = try await libvirt.networkStatus(network.name)
        if let found = status, found.uuid != wanted {
            throw DevhostError(
                .conflict, "there is a libvirt network \(network.name) that is not the one devhost.cfg describes",
                next: "stop all VMs and remove it with 'virsh net-destroy \(network.name)' and 'virsh net-undefine "
                    + "\(network.name)', or set another [network] name in devhost.cfg")
        }
        if status == nil {
            let reservations = devhost.plan.reservations(
                records: try devhost.records.readable() + devhost.records.salvaged())
            try await libvirt.defineNetwork(network.name, xml: try definition.rendered(reservations: reservations))
            status = try await libvirt.networkStatus(network.name)
        }
        // dnsmasq watches only a folder that is there when it starts.
        try Files.createDirectory(devhost.layout.dnsNames, mode: 0o755)
        if status?.isActive != true { try await libvirt.startNetwork(network.name) }
    }

    private var definition: NetworkDefinition {
        let plan = devhost.plan
        let publish = configuration.publish
        return NetworkDefinition(
            name: network.name, bridge: network.bridge, domain: network.domain, gatewayMAC: AddressPlan.gatewayMAC,
            gateway: plan.gateway, prefixLength: network.ipv4.prefixLength, dynamicRange: plan.dynamicRange,
            reservedRange: plan.reservedRange, gatewayV6: plan.gatewayV6, namesFolder: devhost.layout.dnsNames,
            hostName: (try? VMName(HostName.current))?.description,
            // A guest takes every name below localhost for its own.
            publicAddress: publish.isLocal ? nil : publish.address)
    }

    private func filter() throws -> NetworkFilterDefinition {
        let host = try HostAddresses.current(without: network.bridge)
        let plan = devhost.plan
        return NetworkFilterDefinition(
            name: network.name, gatewayMAC: AddressPlan.gatewayMAC, hostIPv4: [plan.gateway] + host.ipv4,
            hostIPv6: [plan.gatewayV6, .linkLocal(mac: AddressPlan.gatewayMAC)] + host.ipv6,
            broadcast: [network.ipv4.last] + host.broadcast,
            ephemeralPorts: HostAddresses.ephemeralPorts(),
            services: network.services.map { .init(transport: $0.transport, ports: $0.port...$0.port) })
    }
}
