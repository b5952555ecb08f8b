/// A devhost: creates, lists, reaches, stops and destroys its VMs. Each verb stands in a file of its own.
///
/// The value is cheap; libvirt is connected at the first verb that needs it. Verbs may be called from several tasks and
/// several processes at once.
public struct Devhost: Sendable {
    /// The settings.
    public let configuration: Configuration
    /// On whose behalf the verbs act: the owner of VMs that they make.
    public let caller: Caller
    /// The records.
    public let records: RecordStore

    let clock: any SystemClock
    let probe: any GuestProbe
    let useSources: any UseSources
    let libvirt: LazyConnection

    /// A devhost.
    /// - Parameters:
    ///   - configuration: The settings, for instance of `Configuration.load()`.
    ///   - caller: On whose behalf the verbs act.
    ///   - clock: Where the time comes from.
    ///   - probe: How a guest's ssh is asked whether it answers.
    public init(
        configuration: Configuration, caller: Caller, clock: any SystemClock = RealClock(),
        probe: any GuestProbe = SSHBannerProbe()
    ) {
        self.init(
            configuration: configuration, caller: caller, clock: clock, probe: probe,
            libvirt: LazyConnection(uri: configuration.libvirtURI))
    }

    init(
        configuration: Configuration, caller: Caller, clock: any SystemClock, probe: any GuestProbe,
        useSources: (any UseSources)? = nil, libvirt: LazyConnection
    ) {
        self.configuration = configuration
        self.caller = caller
        self.clock = clock
        self.probe = probe
        self.useSources = useSources ?? MachineUseSources(configuration: configuration)
        records = RecordStore(layout: configuration.layout)
        self.libvirt = libvirt
    }

    var layout: Layout { configuration.layout }
    var plan: AddressPlan { AddressPlan(network: configuration.network) }
    var useStore: UseStore { UseStore(layout: layout) }
    var hostsFile: HostsFile { HostsFile(path: layout.hostsFile) }
    var dnsFolder: DNSFolder { DNSFolder(path: layout.dnsNames) }

    /// Takes the lock of one VM for the whole of a verb.
    func lock(_ name: VMName, verb: String, progress: ProgressHandler) async throws -> FileLock {
        try makeLockFolder()
        return try await FileLock.acquire(
            layout.lock(name), holder: "'\(verb) \(name)' of \(caller.name.printable)", limit: configuration.lockLimit,
            clock: clock
        ) { progress(.notice("waiting for \($0)")) }
    }

    /// Takes a lock that nobody waits for.
    /// - Returns: The lock; nil where somebody holds it.
    func lockIfFree(_ path: String, verb: String) async throws -> FileLock? {
        try makeLockFolder()
        do {
            return try await FileLock.acquire(
                path, holder: "'\(verb)' of \(caller.name.printable)", limit: .zero, clock: clock)
        } catch let error as DevhostError where error.code == .busy {
            return nil
        }
    }

    func makeLockFolder() throws {
        try Files.createDirectory(layout.state, mode: 0o755)
        try Files.createDirectory(layout.locks, mode: 0o700)
    }

    /// Runs a body that changes what all VMs share: network, filter, pools, hosts file.
    func withHostLock<Result>(_ body: () async throws -> Result) async throws -> Result {
        try makeLockFolder()
        let lock = try await FileLock.acquire(
            layout.hostLock, holder: "a change of the network by \(caller.name.printable)",
            limit: configuration.lockLimit, clock: clock)
        defer { withExtendedLifetime(lock) {} }
        return try await body()
    }
}

/// The connection to libvirt, opened when it is first needed, and anew when libvirt went away.
actor LazyConnection {
    private let uri: String
    private var task: Task<Connection, any Error>?

    init(uri: String) { self.uri = uri }

    /// - Throws: What ``Connection/open(_:)`` throws; the next call tries again.
    func callAsFunction() async throws -> Connection {
        // Another caller may have replaced it meanwhile.
        if let old = self.task, let open = try? await old.value, try await !open.isAlive(), self.task == old {
            self.task = nil
        }
        let task = self.task ?? Task { [uri] in try await Connection.open(uri) }
        self.task = task
        do {
            return try await task.value
        } catch {
            self.task = nil
            throw error
        }
    }
}
