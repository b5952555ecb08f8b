import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The one ssh connection of a run to a devhost, over which lead its calls of fc-devhost and the ways to its VMs. sshd takes
/// in few at a time whom it does not know yet (MaxStartups, 10 by default), and few sessions over one connection
/// (MaxSessions, 10 by default).
///
/// It lasts as long as its input is open: it ends when this process does, however that happens.
final class DevhostConnection: Sendable {
    /// How many calls are carried at a time: with its own session there is room for another user's program of ours.
    private static let callsAtOnce = 8
    /// How long it may take until the devhost answers the first time.
    private static let limit: Duration = .seconds(60)

    private let destination: SSHDestination
    private let ssh: String
    private let configuration: String?
    private let environment: [String: String]
    private let folder: TemporaryDirectory
    private let calls = Turnstile(callsAtOnce)
    private let opening = Mutex<Task<Void, any Error>?>(nil)
    private let connecting = Mutex<ChildProcess?>(nil)
    private let master = Mutex<(process: ChildProcess, input: FileDescriptor)?>(nil)

    /// Prepares; nothing is sent yet.
    /// - Parameter configuration: The ssh configuration; nil for the user's own.
    init(_ destination: SSHDestination, configuration: String?, environment: [String: String]) throws {
        self.destination = destination
        self.configuration = configuration
        ssh = try ProgramFinder.find("ssh", environment: environment)
        self.environment = ProgramFinder.environment(from: environment)
        folder = try TemporaryDirectory(prefix: "devhost")
    }

    private var controlPath: String { "\(folder.path)/d" }
    private var file: [String] { configuration.map { ["-F", $0] } ?? [] }

    /// Runs something that calls the devhost, when there is room for another call, over a connection that stands.
    /// - Throws: `unavailable` with ssh's words where the devhost cannot be reached; what the body throws.
    func carry<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        try await open()
        return try await calls(body)
    }

    /// The program that runs a command on the devhost.
    func command(_ words: [String]) -> Command {
        var command = Command(
            ssh,
            file + SSHOptions.sharing(controlPath) + SSHOptions.unattended
                + ["-T"] + destination.arguments + [words.map(\.shellQuoted).joined(separator: " ")])
        command.environment = environment
        return command
    }

    /// What ssh is given as ProxyCommand to reach a VM of the devhost over this connection, and over one of its own where
    /// this one is gone.
    var proxyCommand: String {
        let words = [ssh] + file + SSHOptions.sharing(controlPath) + SSHOptions.unattended
        // Percent signs are ssh's own here.
        let options = words.map { $0.shellQuoted.replacingScalars(["%": "%%"]) } + ["-W", "'[%h]:%p'"]
        return (options + destination.arguments.map(\.shellQuoted)).joined(separator: " ")
    }

    /// Ends the connection.
    func close() async {
        let master = master.withLock { master in
            defer { master = nil }
            return master
        }
        guard let master else { return }
        withExtendedLifetime(master.input) {}
        master.process.signal(SIGTERM)
        _ = await master.process.wait()
    }

    // MARK: Opening

    private func open() async throws {
        let task = opening.withLock { task in
            let opening = task ?? Task { try await self.connect() }
            task = opening
            return opening
        }
        do {
            try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
                connecting.withLock { $0 }?.signal(SIGTERM)
            }
        } catch {
            opening.withLock { if $0 == task { $0 = nil } }
            try Task.checkCancellation()
            throw error
        }
    }

    private func connect() async throws {
        for delay in SSHOptions.retries {
            do {
                return try await connectOnce()
            } catch let error as DevhostError where SSHOptions.isTooEarly(error.details ?? "") {
                try await Task.sleep(for: delay)
            }
        }
        try await connectOnce()
    }

    private func connectOnce() async throws {
        try Task.checkCancellation()
        // A session of its own says when the connection stands, in any shell, and keeps it until its input ends.
        let mark = "devhost-\(String(UInt64.random(in: 0...UInt64.max), radix: 16))"
        var command = Command(
            ssh,
            file + SSHOptions.carrying(controlPath) + SSHOptions.unattended
                + ["-T"] + destination.arguments + ["echo \(mark); exec cat"])
        command.environment = environment
        let (input, output, errors) = (try Pipe(), try Pipe(), try Pipe())
        let process = try ChildProcess(
            command, input: input.reader, output: output.writer, errors: errors.writer, inNewSession: true)
        connecting.withLock { $0 = process }
        defer { connecting.withLock { $0 = nil } }
        output.closeWriter()
        errors.closeWriter()
        input.closeReader()
        let (answer, words) = (output.handOverReader(), errors.handOverReader())
        guard try await Blocking.run({ try Self.says(mark, answer) }) else {
            process.signal(SIGTERM)
            _ = await process.wait()
            let said = try await Blocking.run { try words.read(upTo: 64 << 10, path: "ssh's words") }
            throw unreachable(String(decoding: said, as: UTF8.self))
        }
        let writer = input.handOverWriter()
        master.withLock { $0 = (process, writer) }
        // What is said later must find room, or ssh would wait for it.
        Blocking.start {
            while let part = try? words.read(upTo: 64 << 10, path: "ssh's words"), !part.isEmpty {}
        }
    }

    /// Whether a mark arrives in time. Blocks.
    private static func says(_ mark: String, _ output: FileDescriptor) throws -> Bool {
        let deadline = ContinuousClock.now + limit
        var seen: [UInt8] = []
        while ContinuousClock.now < deadline {
            var polled = [pollfd(fd: output.number, events: Int16(POLLIN), revents: 0)]
            guard poll(&polled, 1, 1000) > 0 else { continue }
            let part = try output.read(upTo: 4096, path: "ssh's output")
            if part.isEmpty { return false }
            // A shell may say something of its own first.
            seen = Array((seen + part).suffix(8192))
            if String(decoding: seen, as: UTF8.self).contains(mark) { return true }
        }
        return false
    }

    /// What is thrown where the devhost does not answer.
    func unreachable(_ words: String) -> DevhostError {
        let lines = words.split(whereSeparator: \.isNewline).map { String($0).trimmed.printable }.filter { !$0.isEmpty }
        return DevhostError(
            .unavailable, "cannot reach the devhost \(destination.jump): \(lines.last ?? "it does not answer")",
            next: "try: ssh \((file + destination.arguments).map(\.shellQuoted).joined(separator: " ")) true",
            details: lines.joined(separator: "\n"))
    }
}
