/// Where signs of use are read. A protocol, so that tests without guests can make some.
protocol UseSources: Sendable {
    /// When each published host was last asked for.
    func requests() throws -> [String: Timestamp]
    /// The connections of this machine.
    func connections() throws -> [TCPTable.Connection]
    /// The CPU time of each VM that runs, in nanoseconds.
    func cpuTimes(_ libvirt: Connection) async throws -> [VMName: UInt64]
    /// When somebody last logged in to a guest.
    /// - Parameter notice: What everybody who logs in reads from then on; nil for nothing.
    func lastLogin(_ record: VMRecord, _ libvirt: Connection, notice: String?) async throws -> Timestamp?
}

/// The traces on this machine and in its guests.
struct MachineUseSources: UseSources {
    let configuration: Configuration

    /// How long one guest may take to tell, in all.
    private static let limit = Duration.seconds(60)

    func requests() throws -> [String: Timestamp] {
        guard configuration.publish.proxy == .caddy else { return [:] }
        return try AccessLog(layout: configuration.layout).lastRequests()
    }

    func connections() throws -> [TCPTable.Connection] { try TCPTable.established() }

    /// The mock's CPU time is the time of day.
    func cpuTimes(_ libvirt: Connection) async throws -> [VMName: UInt64] {
        libvirt.driver == .test ? [:] : try await libvirt.cpuTimes()
    }

    func lastLogin(_ record: VMRecord, _ libvirt: Connection, notice: String?) async throws -> Timestamp? {
        if libvirt.driver == .test { return nil }
        guard let ipv4 = record.ipv4, let hostKey = record.hostKey else {
            throw DevhostError(.notFound, "\(record.name) has no address or no host key on record")
        }
        let key = configuration.layout.bootstrapKey
        let shell = GuestShell(name: record.name, address: ipv4, hostKey: hostKey, identity: key)
        let logins = GuestLogins(shell: shell, ownFingerprint: try await GuestLogins.fingerprint(ofKey: key))
        return try await logins.last(showing: notice, limit: Self.limit)
    }
}
