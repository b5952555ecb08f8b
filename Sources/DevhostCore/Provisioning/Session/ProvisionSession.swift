import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One run of a provision script against one VM.
///
/// bash evaluates the script as it is; its verbs reach this session through a socket and are carried out here. While a
/// run lasts, SIGPIPE is ignored in this process. Cancelling the task ends the script and what it runs in the VM.
public final class ProvisionSession: Sendable {
    /// What is run, where, and how.
    public struct Options: Sendable {
        /// The script.
        public var script: String
        /// The VM; nil only makes sense for a dry run.
        public var target: GuestTarget
        /// The environment that the script finds, with the variables of its verbs.
        public var environment: [String: String]
        /// What must not show in any output.
        public var secrets = Secrets([])
        /// The user to whom files below its home belong; nil where the VM has none.
        public var serviceUser: String?
        /// Whether lines that fail end the run.
        public var keepsGoing = false
        /// Whether the verbs are only named.
        public var isDryRun = false
        /// The program that verbs start: one that begins with ``ScriptHelper/runIfAsked(_:)``.
        public var helper: String

        /// A run with everything else as usual.
        public init(script: String, target: GuestTarget, environment: [String: String], helper: String) {
            self.script = script
            self.target = target
            self.environment = environment
            self.helper = helper
        }
    }

    struct State {
        var nextCall = 1
        var finished: [VerbResult] = []
        var reports: [FailureReport] = []
        var copies: [String: CopyTransport] = [:]
        var owners: GuestOwners?
        var fatal: DevhostError?
        /// Verbs that wait for an answer.
        var callers: [FileDescriptor] = []
    }

    let options: Options
    let folder: TemporaryDirectory
    let connection: GuestConnection
    let state = Mutex(State())
    let active = DispatchGroup()
    let emit: @Sendable (ProvisionEvent) -> Void
    private let cancellation: Cancellation
    private let streams: OutputStreams

    /// Where the run keeps its sockets; it goes when the run has ended.
    package var temporaryFolder: String { folder.path }
    var socketPath: String { "\(folder.path)/s" }
    var cancelDescriptor: Int32 { cancellation.descriptor }

    /// Prepares a run.
    /// - Parameter events: Sees what happens, one event at a time; a slow one slows the script down.
    /// - Throws: `notFound` where there is no script, `unsupported` where ssh is not installed.
    public init(_ options: Options, events: @escaping @Sendable (ProvisionEvent) -> Void) throws {
        guard Files.exists(options.script) else {
            throw DevhostError(.notFound, "there is no script \(options.script.quoted)")
        }
        self.options = options
        folder = try TemporaryDirectory(prefix: "devhost")
        connection = try GuestConnection(options.target, folder: folder.path, environment: options.environment)
        cancellation = try Cancellation()
        let order = Mutex(())
        let emit: @Sendable (ProvisionEvent) -> Void = { event in order.withLock { _ in events(event) } }
        self.emit = emit
        streams = try OutputStreams(secrets: options.secrets, emit: emit)
    }

    /// Runs the script to its end.
    /// - Returns: How it went; a script that fails is no error.
    /// - Throws: `invalidArgument` for a script that bash cannot read, `unavailable` where the VM cannot be reached or
    ///   the connection was lost, `CancellationError`.
    public func run() async throws -> ProvisionSummary {
        signal(SIGPIPE, SIG_IGN)
        let start = ContinuousClock.now
        let script = ProvisionScript(try Files.readText(options.script), source: Self.name(of: options.script))
        if let problem = try await script.check(folder: nil).first(where: { $0.rule == .syntax }) {
            throw DevhostError(.invalidArgument, problem.description, next: "mend the script; nothing of it was run")
        }
        let listener = try UnixSocket.listen(socketPath)
        let accepting = DispatchGroup()
        accepting.enter()
        Blocking.start {
            self.accept(listener)
            accepting.leave()
        }
        if !options.isDryRun && !script.statements.isEmpty { connectAhead() }
        let status: Int32
        do {
            status = try await withTaskCancellationHandler {
                try await runBash()
            } onCancel: {
                cancellation.cancel()
            }
        } catch {
            cancellation.cancel()
            await end(accepting)
            throw error
        }
        await end(accepting)
        try Task.checkCancellation()
        return try summary(bashStatus: status, duration: .now - start)
    }

    /// The name by which messages call a file.
    static func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    // MARK: bash

    private func runBash() async throws -> Int32 {
        let null = try FileDescriptor.open("/dev/null", O_RDONLY)
        var command = Command(
            try ProgramFinder.find("bash", environment: options.environment),
            [
                "--norc", "--noprofile", "-c",
                BashPrelude.text(keepGoing: options.keepsGoing, dryRun: options.isDryRun),
                Self.name(of: options.script), options.helper, socketPath, "./\(Self.name(of: options.script))",
            ])
        command.directory = Files.directory(of: options.script)
        command.environment = scriptEnvironment()
        let bash = try ChildProcess(
            command, input: null.number, output: streams.output.writer, errors: streams.errors.writer)
        streams.start()
        let ladder = Task { try await self.endWhenCancelled(bash) }
        let status = await bash.wait()
        ladder.cancel()
        if status != 0 { cancellation.cancel() }
        // Verbs that the script left in the background are carried through, unless the script failed. A job that has
        // only just begun may still be on its way to its verb.
        try await waitForVerbs()
        for _ in 0..<100 where status == 0 && bash.hasGroup {
            try await Task.sleep(for: .milliseconds(20))
            try await waitForVerbs()
        }
        await endBackgroundJobs(of: bash)
        try await streams.finish()
        return status
    }

    private func waitForVerbs() async throws { try await Blocking.run { self.active.wait() } }

    private func scriptEnvironment() -> [String: String] {
        var environment = options.environment
        // bash would run these before the script.
        for name in ["BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS", "POSIXLY_CORRECT"] { environment[name] = nil }
        environment["PATH"] = environment["PATH"] ?? Command.searchPath
        let configuration = options.target.configuration
        if let configuration, environment["SSH_CONFIG"] == nil { environment["SSH_CONFIG"] = configuration }
        if environment["RSYNC_RSH"] == nil {
            let words = ["ssh"] + (configuration.map { ["-F", $0] } ?? []) + connection.sharingOptions
            environment["RSYNC_RSH"] = words.map(\.shellQuoted).joined(separator: " ")
        }
        return environment
    }

    private func endWhenCancelled(_ bash: ChildProcess) async throws {
        try await cancellation.wait()
        for (signal, wait) in [(SIGINT, 1), (SIGTERM, 2), (SIGKILL, 0)] {
            bash.signal(signal)
            if wait > 0 { try await Task.sleep(for: .seconds(wait)) }
        }
    }

    /// Ends what the script left running on this machine.
    private func endBackgroundJobs(of bash: ChildProcess) async {
        guard bash.hasGroup else { return }
        if !cancellation.isCancelled {
            emit(.warning("the script ended while a job of its own still ran in the background: the job was ended"))
        }
        bash.signalGroup(SIGTERM)
        for _ in 0..<100 where bash.hasGroup { try? await Task.sleep(for: .milliseconds(20)) }
        bash.signalGroup(SIGKILL)
    }

    private func end(_ accepting: DispatchGroup) async {
        cancellation.cancel()
        try? await Blocking.run { accepting.wait() }
        try? await Blocking.run { self.active.wait() }
        await connection.close()
        state.withLock { $0.callers = [] }
        folder.remove()
    }

    private func connectAhead() {
        emit(.connecting(host: options.target.host))
        active.enter()
        Blocking.start {
            let start = ContinuousClock.now
            do {
                try self.connection.open()
                self.emit(.connected(host: self.options.target.host, after: .now - start))
            } catch {
                self.fail(.wrapping(error, "cannot reach \(self.options.target.host)"))
            }
            self.active.leave()
        }
    }

    // MARK: Calls of the script

    private func accept(_ listener: FileDescriptor) {
        while true {
            var polled = [
                pollfd(fd: listener.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: cancellation.descriptor, events: 0, revents: 0),
            ]
            _ = poll(&polled, 2, -1)
            if polled[1].revents != 0 {
                unlink(socketPath)
                return
            }
            guard let caller = UnixSocket.accept(listener) else { continue }
            active.enter()
            Blocking.start {
                self.serve(caller)
                self.active.leave()
            }
        }
    }

    private func serve(_ socket: FileDescriptor) {
        // A verb that could not be carried out because the run is over must not return: the script would go on.
        state.withLock { $0.callers.append(socket) }
        do {
            let caller = try ScriptCaller(socket, cancellation: cancellation.descriptor)
            let call = try ScriptCall(try caller.readCall())
            streams.drain()
            let status = try carryOut(call, for: caller)
            if cancellation.isCancelled { return }
            caller.answer(status)
            state.withLock { state in state.callers.removeAll { $0 === socket } }
        } catch {
            fail(.wrapping(error, "cannot carry out a call of the script"))
        }
    }

    /// Ends the run because of something that is not the script's doing.
    func fail(_ error: DevhostError) {
        let isFirst = state.withLock { state in
            defer { state.fatal = state.fatal ?? error }
            return state.fatal == nil
        }
        if isFirst { cancellation.cancel() }
    }
}
