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
        /// The script; nil where there is none and only ``nixFile`` or ``closingCommand`` are to be carried out.
        public var script: String?
        /// The folder that the script runs in and that local paths are relative to.
        public var folder: String
        /// A file of the folder that goes to ``nixPath`` before the script runs.
        public var nixFile: String?
        /// What runs in the VM after a script that succeeded; its failure is a warning, not the run's.
        public var closingCommand: [String] = []
        /// The VM.
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
        /// How ssh gets to the VM; nil for what its configuration says.
        var proxyCommand: String?

        /// A run with everything else as usual.
        public init(script: String, target: GuestTarget, environment: [String: String], helper: String) {
            self.init(folder: Files.directory(of: script), target: target, environment: environment, helper: helper)
            self.script = script
        }

        /// A run without a script.
        public init(folder: String, target: GuestTarget, environment: [String: String], helper: String) {
            self.folder = folder
            self.target = target
            self.environment = environment
            self.helper = helper
        }
    }

    /// Where the VM's platform finds what an environment says about its system.
    public static let nixPath = "/etc/local/nixos/provision-container.nix"

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
    let cancellation: Cancellation
    let streams: Mutex<OutputStreams?> = Mutex(nil)

    /// Where the run keeps its sockets; it goes when the run has ended.
    package var temporaryFolder: String { folder.path }
    var socketPath: String { "\(folder.path)/s" }
    var cancelDescriptor: Int32 { cancellation.descriptor }

    /// Prepares a run.
    /// - Parameter events: Sees what happens, one event at a time; a slow one slows the script down.
    /// - Throws: `notFound` where there is no script, `unsupported` where ssh is not installed.
    public init(_ options: Options, events: @escaping @Sendable (ProvisionEvent) -> Void) throws {
        if let script = options.script, !Files.exists(script) {
            throw DevhostError(.notFound, "there is no script \(script.quoted)")
        }
        self.options = options
        folder = try TemporaryDirectory(prefix: "devhost")
        cancellation = try Cancellation()
        connection = try GuestConnection(
            options.target, folder: folder.path, proxyCommand: options.proxyCommand, environment: options.environment,
            cancellation: cancellation)
        let order = Mutex(())
        let emit: @Sendable (ProvisionEvent) -> Void = { event in order.withLock { _ in events(event) } }
        self.emit = emit
    }

    /// Runs the script to its end.
    /// - Returns: How it went; a script that fails is no error.
    /// - Throws: `invalidArgument` for a script that bash cannot read, `unavailable` where the VM cannot be reached or
    ///   the connection was lost, `CancellationError`.
    public func run() async throws -> ProvisionSummary {
        signal(SIGPIPE, SIG_IGN)
        let start = ContinuousClock.now
        let needsVM = try await checkScript() || options.nixFile != nil || !options.closingCommand.isEmpty
        let listener = try UnixSocket.listen(socketPath)
        let accepting = DispatchGroup()
        accepting.enter()
        Blocking.start {
            self.accept(listener)
            accepting.leave()
        }
        if !options.isDryRun && needsVM { connectAhead() }
        let status: Int32
        do {
            status = try await withTaskCancellationHandler {
                try await runParts()
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
        let summary = try summary(bashStatus: status, duration: .now - start)
        emit(.ended(summary))
        return summary
    }

    /// Refuses a script that bash cannot read, before anything of it runs.
    /// - Returns: Whether the script has a verb.
    private func checkScript() async throws -> Bool {
        guard let path = options.script else { return false }
        let script = ProvisionScript(try Files.readText(path), source: Self.name(of: path))
        // What bash only warns of, it runs.
        let problems = try await script.check(folder: nil).filter { $0.rule == .syntax && $0.severity == .error }
        if let problem = problems.first {
            throw DevhostError(.invalidArgument, problem.description, next: "mend the script; nothing of it was run")
        }
        return !script.statements.isEmpty
    }

    /// The name by which messages call a file.
    static func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

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
            streams.withLock { $0 }?.drain()
            let status = try carryOut(call, for: caller)
            if cancellation.isCancelled { return }
            caller.answer(status)
            state.withLock { state in state.callers.removeAll { $0 === socket } }
        } catch {
            fail(.wrapping(error, "cannot carry out a call of the script"))
        }
    }

    /// Ends the run because of something that is not the script's doing. What fails once the run is to end was ended
    /// with it.
    func fail(_ error: DevhostError) {
        if cancellation.isCancelled { return }
        let error = options.secrets.masked(error)
        let isFirst = state.withLock { state in
            defer { state.fatal = state.fatal ?? error }
            return state.fatal == nil
        }
        if isFirst { cancellation.cancel() }
    }
}
