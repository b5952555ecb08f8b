import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The one ssh connection of a run, with as many agents in the guest as verbs are carried out at the same time.
///
/// The first ssh is the master and holds the first agent; others are channels of the same connection. The master lives
/// as long as its input is open, so that all of it ends when this process does, however that happens.
final class GuestConnection: Sendable {
    private struct Pool {
        var master: GuestSlot?
        var idle: [GuestSlot] = []
        var all: [GuestSlot] = []
        var isClosed = false
    }

    let target: GuestTarget
    private let ssh: String
    private let controlPath: String
    private let configurationLink: String
    private let proxyCommand: String?
    private let environment: [String: String]
    private let cancellation: Cancellation?
    private let pool = Mutex(Pool())
    private let opening = Mutex(false)

    /// Prepares a connection; nothing is sent before the first request.
    /// - Parameters:
    ///   - folder: Where the control socket lies; only this user may enter it.
    ///   - proxyCommand: How ssh gets to the VM; nil for what its configuration says.
    ///   - cancellation: Ends connecting, when it is given; what a connection that stands carries is not concerned.
    init(
        _ target: GuestTarget, folder: String, proxyCommand: String? = nil, environment: [String: String],
        cancellation: Cancellation? = nil
    ) throws {
        self.target = target
        self.proxyCommand = proxyCommand
        self.cancellation = cancellation
        ssh = try ProgramFinder.find("ssh", environment: environment)
        controlPath = "\(folder)/c"
        configurationLink = "\(folder)/ssh_config"
        self.environment = ProgramFinder.environment(from: environment)
        if let configuration = target.configuration { try Files.link(configurationLink, to: configuration) }
    }

    /// The ssh that rsync is to start, to share the connection, as rsync takes it: words with blanks between them. rsync
    /// reads quotes in its own way, and others of its kind not at all: the configuration, whose path may hold anything,
    /// goes by another name.
    var sharingShell: String {
        let file = target.configuration == nil ? [] : ["-F", configurationLink]
        return (["ssh"] + file + SSHOptions.sharing(controlPath) + SSHOptions.unattended).joined(separator: " ")
    }

    /// Connects, unless that has happened. Blocks.
    /// - Throws: `unavailable` with ssh's words.
    func open() throws {
        try opening.withLock { isOpen in
            if isOpen { return }
            if let cancellation, cancellation.isCancelled { throw DevhostError(.failed, "the run has ended") }
            let slot = try start(isMaster: true)
            pool.withLock { pool in
                pool.master = slot
                pool.idle.append(slot)
            }
            isOpen = true
        }
    }

    /// Carries a request out on a free channel, or on a new one. Blocks.
    func carryOut(_ exchange: Exchange) throws -> Exchange.Outcome {
        try open()
        let slot = try take(forSingleUse: exchange.source.endsInput)
        defer { giveBack(slot) }
        var exchange = exchange
        exchange.signal = { [weak self] group, signal in self?.send(signal, to: group) }
        do {
            return try slot.carryOut(exchange)
        } catch {
            throw lost(error, slot: slot, before: "the connection to \(target.host) was lost")
        }
    }

    /// What a short command says, or nil where it fails. Blocks.
    func query(_ words: [String]) throws -> String? {
        let mark = Self.newMark()
        let outcome = try carryOut(
            Exchange(mark: mark, request: GuestAgent.request("run", mark: mark, words), limit: .seconds(60)))
        return outcome.status == 0 ? String(decoding: outcome.output, as: UTF8.self).trimmed : nil
    }

    /// Breaks the connection off, also under what others do over it: their requests fail.
    func abort() {
        for slot in pool.withLock({ $0.all }) { slot.kill() }
    }

    /// Ends the connection and everything that hangs on it.
    func close() async {
        let slots = pool.withLock { pool in
            pool.isClosed = true
            defer { pool.all = [] }
            return pool.all
        }
        // The master goes last: it waits for the others.
        for slot in slots.reversed() { slot.close() }
        let deadline = Task {
            try await Task.sleep(for: .seconds(3))
            for slot in slots { slot.kill() }
        }
        for slot in slots { await slot.wait() }
        deadline.cancel()
    }

    static func newMark() -> [UInt8] {
        var mark: [UInt8] = [1]
        for _ in 0..<2 { mark += Array(String(UInt64.random(in: 0...UInt64.max), radix: 16).utf8) }
        return mark + [UInt8(ascii: ":")]
    }

    // MARK: Channels

    private func take(forSingleUse: Bool) throws -> GuestSlot {
        let free = pool.withLock { pool -> GuestSlot? in
            guard let index = pool.idle.lastIndex(where: { !(forSingleUse && $0.isMaster) }) else { return nil }
            return pool.idle.remove(at: index)
        }
        return try free ?? start(isMaster: false)
    }

    private func giveBack(_ slot: GuestSlot) {
        pool.withLock { pool in
            if slot.isUsable { pool.idle.append(slot) }
        }
    }

    private func start(isMaster: Bool) throws -> GuestSlot {
        for delay in isMaster ? SSHOptions.retries : [] {
            do {
                return try startOnce(isMaster: true)
            } catch let error as DevhostError
                where error.code == .unavailable && SSHOptions.isTooEarly(error.details ?? "")
            {
                // Whoever ends the run ends this wait with it.
                var polled = [pollfd(fd: cancellation?.descriptor ?? -1, events: 0, revents: 0)]
                _ = poll(&polled, 1, Int32(delay / .milliseconds(1)))
                if let cancellation, cancellation.isCancelled { throw error }
            }
        }
        return try startOnce(isMaster: isMaster)
    }

    private func startOnce(isMaster: Bool) throws -> GuestSlot {
        var command = Command(ssh, arguments(isMaster: isMaster))
        command.environment = environment
        let slot = try GuestSlot(command, isMaster: isMaster)
        let isClosed = pool.withLock { pool in
            if !pool.isClosed { pool.all.append(slot) }
            return pool.isClosed
        }
        if isClosed {
            slot.close()
            slot.kill()
            throw DevhostError(.failed, "the run has ended")
        }
        do {
            let mark = Self.newMark()
            var hello = Exchange(
                mark: mark, request: GuestAgent.request("hello", mark: mark, []), limit: .seconds(90))
            // Further channels may be wanted to end what the run has started.
            if isMaster, let cancellation {
                hello.watched = [cancellation.descriptor]
                hello.endsAtOnce = true
            }
            _ = try slot.carryOut(hello)
            return slot
        } catch {
            slot.close()
            slot.kill()
            throw lost(error, slot: slot, before: "cannot reach \(target.host)")
        }
    }

    private func arguments(isMaster: Bool) -> [String] {
        let sharing = isMaster ? SSHOptions.carrying(controlPath) : SSHOptions.sharing(controlPath)
        let proxy = proxyCommand.map { ["-o", "ProxyCommand=\($0)"] } ?? []
        return (target.configuration.map { ["-F", $0] } ?? []) + sharing + SSHOptions.unattended + proxy
            + ["--", target.host, GuestAgent.command]
    }

    private func lost(_ error: any Error, slot: GuestSlot, before attempt: String) -> DevhostError {
        let error = DevhostError.wrapping(error, attempt)
        let words = slot.lastWords.split(separator: "\n").suffix(3).map { String($0).printable }
        let shown = words.isEmpty ? error.message : words.joined(separator: " / ")
        let configuration = target.configuration.map { "-F \($0.shellQuoted) " } ?? ""
        return DevhostError(
            error.code, "\(attempt): \(shown)", next: "try: ssh \(configuration)\(target.host.shellQuoted) true",
            details: words.count > 1 ? words.joined(separator: "\n") : nil)
    }

    private func send(_ signal: Int32, to group: Int32) {
        let mark = Self.newMark()
        let request = GuestAgent.request("signal", mark: mark, [String(signal), String(group)])
        _ = try? carryOut(Exchange(mark: mark, request: request, limit: .seconds(5)))
    }
}

/// How a VM is reached.
public struct GuestTarget: Sendable, Hashable {
    /// The name by which ssh knows the VM.
    public let host: String
    /// The ssh configuration file in which the name stands; nil for the user's own.
    public let configuration: String?

    /// A VM that ssh knows.
    /// - Throws: `invalidArgument` for a name that ssh would take as an option.
    public init(host: String, configuration: String?) throws(DevhostError) {
        guard !host.isEmpty, !host.hasPrefix("-"), host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw DevhostError(.invalidArgument, "\(host.quoted) is not a host name")
        }
        self.host = host
        self.configuration = configuration
    }
}
