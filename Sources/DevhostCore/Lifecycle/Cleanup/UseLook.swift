/// One look for signs of use, at any number of VMs: what all of them share is read once. The lock of whoever collects
/// must be held.
struct UseLook: Sendable {
    let devhost: Devhost
    let libvirt: Connection
    private let states: [VMName: DomainState]
    private let cpuTimes: [VMName: UInt64]
    private let requests: [VMName: Timestamp]
    private let connections: [String: [TCPTable.Connection]]
    private let proxyUser: UInt32?
    private let problem: String?

    init(devhost: Devhost, libvirt: Connection) async throws {
        self.devhost = devhost
        self.libvirt = libvirt
        states = try await libvirt.domainStates()
        let sources = devhost.useSources
        var problems: [String] = []
        func attempt<Value>(_ what: String, _ fallback: Value, _ body: () async throws -> Value) async -> Value {
            do {
                return try await body()
            } catch {
                problems.append("\(what) cannot be read: \(error)")
                return fallback
            }
        }
        cpuTimes = await attempt("CPU times", [:]) { try await sources.cpuTimes(libvirt) }
        var requests: [VMName: Timestamp] = [:]
        let asked = await attempt("Caddy's log of requests", [String: Timestamp]()) { try sources.requests() }
        for (host, date) in asked {
            guard let name = devhost.owner(of: host) else { continue }
            requests[name] = max(date, requests[name] ?? date)
        }
        self.requests = requests
        connections = Dictionary(
            grouping: await attempt("connections", []) { try sources.connections() }, by: \.remoteAddress)
        proxyUser = User(named: devhost.configuration.publish.user)?.id
        problem = problems.isEmpty ? nil : problems.joined(separator: "; ")
    }

    /// Looks at one VM and keeps what was seen. A VM that another command works on meanwhile is left for the next look.
    /// - Returns: What is known of its use then; nil where it was left alone.
    @discardableResult
    func look(at name: VMName) async throws -> UseRecord? {
        guard let record = try devhost.records.find(name) else { return nil }
        let store = devhost.useStore
        let notice = try? store.notice(name)
        let traces = await traces(of: record, notice: notice)
        guard let lock = try await devhost.lockIfFree(devhost.layout.lock(name), verb: "collect") else { return nil }
        defer { withExtendedLifetime(lock) {} }
        // It may have been changed, or destroyed, while its guest was asked.
        guard try devhost.records.find(name) == record else { return nil }
        let (known, damage) = store.read(name)
        var use = known
        let isUsed = use.take(
            traces, of: record, threshold: devhost.configuration.cleanup.cpuThreshold,
            date: Timestamp(devhost.clock.now), uptime: devhost.clock.uptime)
        use.problem = use.problem ?? damage
        try store.write(use, of: name)
        if isUsed { try store.removeNotice(name) }
        return use
    }

    private func traces(of record: VMRecord, notice: UseNotice?) async -> UseTraces {
        var traces = UseTraces()
        let state = states[record.name] ?? .missing
        traces.isActive = state.isActive
        guard record.trashed == nil else { return traces }
        traces.cpuTime = cpuTimes[record.name]
        traces.last[.ensure] = record.lastDeployDate
        traces.last[.request] = requests[record.name]
        traces.problem = problem
        do {
            traces.last.merge(try devhost.useStore.traces(of: record.name)) { $1 }
        } catch {
            traces.problem = "what commands noted cannot be read: \(error)"
        }
        // Before this look connects to the guest itself.
        takeConnections(of: record, &traces)
        switch state {
        case .running:
            do {
                let login = try await devhost.useSources.lastLogin(
                    record, libvirt, notice: notice?.text(record.name))
                // A guest's clock may be ahead.
                traces.last[.ssh] = login.map { min($0, Timestamp(devhost.clock.now)) }
            } catch {
                traces.problem = "logins cannot be read: \(error)"
            }
        case .missing, .off, .suspended: break
        case .paused, .shuttingDown, .crashed, .asleep:
            traces.problem = "logins cannot be read: it is \(state.rawValue)"
        }
        return traces
    }

    /// What leads from the devhost to a VM: sessions that came through its sshd run as the user who came, and Caddy as
    /// its own. Root's may be probes of the devhost's own, which last for seconds, so they count when they are seen twice.
    private func takeConnections(of record: VMRecord, _ traces: inout UseTraces) {
        let addresses = [record.ipv4?.description, record.ipv6?.description].compactMap(\.self)
        for connection in addresses.flatMap({ connections[$0] ?? [] }) {
            if connection.user == proxyUser {
                traces.current.insert(.request)
            } else if connection.remotePort == 22, connection.user == 0 {
                traces.rootPorts.insert(connection.localPort)
            } else if connection.remotePort == 22 {
                traces.current.insert(.ssh)
            }
        }
    }
}
