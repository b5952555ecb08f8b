import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Starts programs.
package enum Processes {
    /// The absolute path of a program.
    /// - Throws: `unsupported` where it is not installed.
    package static func find(_ program: String, package: String? = nil) throws -> String {
        if program.hasPrefix("/") { return program }
        for folder in Command.searchPath.split(separator: ":") where access("\(folder)/\(program)", X_OK) == 0 {
            return "\(folder)/\(program)"
        }
        throw DevhostError(
            .unsupported, "\(program) is not installed", next: "install the package \(package ?? program)")
    }

    /// What a program may write where nobody says otherwise, in bytes.
    package static let outputLimit = 4 << 20

    /// Runs a program to its end with its output in memory.
    /// - Parameters:
    ///   - limit: How long it may take; then it and its process group get SIGTERM, and SIGKILL two seconds later.
    ///   - outputLimit: How many bytes it may write to each of its two outputs; then it is ended in the same way.
    /// - Throws: `unsupported` where it is not installed, `timedOut` and `refused` past the limits. A failing program is
    ///   not an error.
    package static func run(
        _ command: Command, limit: Duration = .seconds(60), outputLimit: Int = outputLimit
    ) async throws -> CommandResult {
        let program = try find(command.program)
        try Effects.announce(.process, ([command.program] + command.arguments).joined(separator: " "))
        return try await Blocking.run { try runBlocking(program, command, limit: limit, outputLimit: outputLimit) }
    }

    /// Runs a program that must succeed.
    /// - Throws: `failed` with its status and what it said where its status is not 0, and what ``run(_:limit:)`` throws.
    @discardableResult
    package static func require(_ command: Command, limit: Duration = .seconds(60)) async throws -> CommandResult {
        let result = try await run(command, limit: limit)
        guard result.status == 0 else {
            let said = result.errorText.trimmed
            throw DevhostError(
                .failed, "\(command.program) ended with status \(result.status)\(said.isEmpty ? "" : ": \(said)")")
        }
        return result
    }

    /// Runs a program on this process's terminal, or whatever its standard files are, to its end. Signals of the
    /// terminal reach the program; this process ignores them meanwhile. SIGHUP and SIGTERM are passed on to the program,
    /// and this process lives on to clean up. One such program runs at a time.
    /// - Returns: The exit status, or 128 and the signal's number.
    package static func runAttached(_ command: Command) async throws -> Int32 {
        let program = try find(command.program)
        try Effects.announce(.process, ([command.program] + command.arguments).joined(separator: " "))
        return try await Blocking.run {
            attached.child.store(0, ordering: .relaxed)
            attached.early.store(0, ordering: .relaxed)
            let ignored = [SIGINT, SIGQUIT].map { ($0, signal($0, SIG_IGN)) }
            let passed = [SIGHUP, SIGTERM].map { ($0, signal($0, passOn)) }
            // What was ignored from the start stays so (nohup), here and in the program.
            for (number, handler) in passed where isIgnoring(handler) { signal(number, SIG_IGN) }
            let stops = ProcessShield.ignoredStops.map { ($0, signal($0, SIG_DFL)) }
            defer { for (number, handler) in ignored + passed + stops { signal(number, handler) } }
            let child = try spawn(program, command, files: nil)
            attached.child.store(child, ordering: .sequentiallyConsistent)
            let early = attached.early.load(ordering: .sequentiallyConsistent)
            if early != 0 { kill(child, early) }
            defer { attached.child.store(0, ordering: .relaxed) }
            return wait(for: child)
        }
    }

    /// The program on this process's terminal, and a signal that came before it was started; 0 for none.
    private final class Attached: Sendable {
        let child = Atomic<pid_t>(0)
        let early = Atomic<Int32>(0)
    }

    private static let attached = Attached()

    private static let passOn: @convention(c) (Int32) -> Void = { number in
        let before = errno
        let child = attached.child.load(ordering: .sequentiallyConsistent)
        if child > 0 { kill(child, number) } else { attached.early.store(number, ordering: .sequentiallyConsistent) }
        errno = before
    }

    /// Handlers cannot be compared, their addresses can.
    private static func isIgnoring(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
        unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    private static func runBlocking(
        _ program: String, _ command: Command, limit: Duration, outputLimit: Int
    ) throws -> CommandResult {
        let input = try Pipe()
        let output = try Pipe()
        let errors = try Pipe()
        let child = try spawn(program, command, files: (input.reader, output.writer, errors.writer, nil))
        input.closeReader()
        output.closeWriter()
        errors.closeWriter()

        var collected: (output: [UInt8], errors: [UInt8]) = ([], [])
        var pending = command.input[...]
        if pending.isEmpty { input.closeWriter() }
        let deadline = ContinuousClock.now + limit
        var failure: DevhostError?
        var isOpen = (output: true, errors: true)
        while isOpen.output || isOpen.errors {
            let remaining = deadline - .now
            guard remaining > .zero else {
                failure = DevhostError(
                    .timedOut, "\(command.program) did not end within \(limit.components.seconds) s")
                break
            }
            var polled = [
                pollfd(fd: isOpen.output ? output.reader : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isOpen.errors ? errors.reader : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: pending.isEmpty ? -1 : input.writer, events: Int16(POLLOUT), revents: 0),
            ]
            _ = poll(&polled, 3, Int32(min(remaining.components.seconds + 1, 3600) * 1000))
            if polled[0].revents != 0 { isOpen.output = drain(output.reader, into: &collected.output) }
            if polled[1].revents != 0 { isOpen.errors = drain(errors.reader, into: &collected.errors) }
            guard max(collected.output.count, collected.errors.count) <= outputLimit else {
                failure = DevhostError(
                    .refused, "\(command.program) was stopped: it wrote more than the \(outputLimit) bytes it may write"
                )
                break
            }
            if polled[2].revents != 0 {
                let count = pending.withUnsafeBytes { write(input.writer, $0.baseAddress, min($0.count, 4096)) }
                if count > 0 { pending = pending.dropFirst(count) } else if errno != EINTR { pending = [] }
                if pending.isEmpty { input.closeWriter() }
            }
        }
        if let failure {
            _ = stop(child)
            throw failure
        }
        return CommandResult(status: wait(for: child), output: collected.output, errorOutput: collected.errors)
    }

    /// Takes what a pipe holds; false at its end.
    private static func drain(_ descriptor: Int32, into collected: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(descriptor, &buffer, buffer.count)
        if count > 0 { collected += buffer[..<count] }
        return count > 0 || (count < 0 && errno == EINTR)
    }

    static func wait(for child: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return exitStatus(status)
    }

    /// The exit status as a shell gives it, from what `waitpid` stored.
    package static func exitStatus(_ status: Int32) -> Int32 {
        let signal = status & 0x7f
        return signal == 0 ? status >> 8 & 0xff : 128 + signal
    }

    static func stop(_ child: pid_t) -> Int32 {
        kill(-child, SIGTERM)
        var status: Int32 = 0
        for _ in 0..<200 {
            if waitpid(child, &status, WNOHANG) == child { return exitStatus(status) }
            usleep(10_000)
        }
        kill(-child, SIGKILL)
        return wait(for: child)
    }

    /// Starts a program.
    /// - Parameters:
    ///   - files: What its standard files are, and its file 3 where there is a `control`; it leads a process group of
    ///     its own then. With nil it shares this process's files and its place at the terminal.
    ///   - inNewSession: Whether it leaves this process's terminal, so that it can ask nobody for anything.
    static func spawn(
        _ program: String, _ command: Command,
        files: (input: Int32, output: Int32, errors: Int32, control: Int32?)?, inNewSession: Bool = false
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let files {
            posix_spawn_file_actions_adddup2(&actions, files.input, 0)
            posix_spawn_file_actions_adddup2(&actions, files.output, 1)
            posix_spawn_file_actions_adddup2(&actions, files.errors, 2)
            if let control = files.control { posix_spawn_file_actions_adddup2(&actions, control, 3) }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        let stops = files == nil ? ProcessShield.ignoredStops : []
        for number in ProcessShield.notInherited + stops { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let group = inNewSession ? spawnInNewSession : files == nil ? 0 : Int32(POSIX_SPAWN_SETPGROUP)
        let flags = group | Int32(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setflags(&attributes, Int16(flags))

        // posix_spawn cannot change the user: setpriv (util-linux) does, and is gone once the program runs.
        var words = [program] + command.arguments
        if let user = command.user {
            words =
                [
                    try find("setpriv", package: "util-linux"), "--reuid=\(user.id)", "--regid=\(user.group)",
                    "--init-groups", "--reset-env", "--no-new-privs", "--",
                ] + words
        }
        if command.hasLimitsOfCaller { words = try ProcessShield.wordsForCaller() + words }
        // The function that changes the folder is hidden behind a C macro that Swift cannot set: env (coreutils) does it.
        if let directory = command.directory { words = [try find("env"), "-C", directory, "--"] + words }
        let environment = command.environment.map { "\($0.key)=\($0.value)" }
        var child: pid_t = 0
        let result = Pipe.inheritance.withLock { _ in
            withCStrings(words) { argv in
                withCStrings(environment) { envp in posix_spawn(&child, words[0], &actions, &attributes, argv, envp) }
            }
        }
        guard result == 0 else { throw DevhostError.posix("cannot start \(program)", errno: result) }
        return child
    }

    /// `POSIX_SPAWN_SETSID`, which glibc hides behind a macro that Swift cannot set.
    #if canImport(Glibc)
        private static let spawnInNewSession: Int32 = 0x80
    #else
        private static let spawnInNewSession: Int32 = 0x400
    #endif

    package static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = strings.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        return body(pointers + [nil])
    }
}

/// A pipe whose ends are closed once each, and in programs that this process starts.
final class Pipe {
    /// Held while a pipe is made and while a program is started, so that no program inherits an end that is not yet
    /// marked (pipe2, which marks at once, is hidden behind a C macro that Swift cannot set).
    static let inheritance = Mutex(())

    private(set) var reader: Int32
    private(set) var writer: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try Pipe.inheritance.withLock { _ in
            guard pipe(&ends) == 0 else { throw DevhostError.posix("cannot make a pipe") }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        (reader, writer) = (ends[0], ends[1])
    }

    func closeReader() {
        if reader >= 0 { close(reader) }
        reader = -1
    }

    func closeWriter() {
        if writer >= 0 { close(writer) }
        writer = -1
    }

    /// Gives the reading end away, to be closed by its new owner.
    func handOverReader() -> FileDescriptor {
        defer { reader = -1 }
        return FileDescriptor(owning: reader)
    }

    /// Gives the writing end away, to be closed by its new owner.
    func handOverWriter() -> FileDescriptor {
        defer { writer = -1 }
        return FileDescriptor(owning: writer)
    }

    deinit {
        closeReader()
        closeWriter()
    }
}
