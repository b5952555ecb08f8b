/// Keeps a folder of a VM like one of this machine: rsync over a connection that stays, once or after each burst of
/// changes.
public final class FolderSync: Sendable {
    /// What is kept like what.
    public struct Options: Sendable {
        /// The folder or file of this machine; a slash at its end means its content, as with rsync.
        public var source: String
        /// The VM.
        public var target: GuestTarget
        /// The path in the VM; relative to the home of ``user``.
        public var destination: String
        /// As whom files are written; nil for the user that ssh logs in as.
        public var user: String?
        /// What this process finds in its environment.
        public var environment: [String: String]

        /// A folder of this machine and one of a VM.
        public init(source: String, target: GuestTarget, destination: String, environment: [String: String]) {
            self.source = source
            self.target = target
            self.destination = destination
            self.environment = environment
        }
    }

    private let options: Options
    private let folder: TemporaryDirectory
    private let connection: GuestConnection
    private let cancellation: Cancellation
    private let rsync: String

    /// Where the connection keeps its socket; it goes with ``close()``.
    package var temporaryFolder: String { folder.path }

    /// Prepares; nothing is sent yet.
    /// - Throws: `notFound` where there is no source, `invalidArgument` where a home or the root of the VM would lose
    ///   what the source does not have, `unsupported` where ssh or rsync is not installed.
    public init(_ options: Options) throws {
        guard Files.exists(options.source) else {
            throw DevhostError(.notFound, "there is no \(options.source.quoted)")
        }
        if Self.meansContent(options.source), Self.isHomeOrRoot(options.destination) {
            let destination = "\(options.target.host):\(options.destination)"
            throw DevhostError(
                .invalidArgument,
                "\(destination.quoted) is a whole home or file system: everything in it that is not in "
                    + "\(options.source.quoted) would be deleted",
                next: "name a folder, for instance \(options.target.host):src")
        }
        if let user = options.user, user.isEmpty || user.hasPrefix("-") || !user.utf8.allSatisfy({ $0 > 0x20 }) {
            throw DevhostError(.invalidArgument, "\(user.quoted) is not a user's name")
        }
        self.options = options
        folder = try TemporaryDirectory(prefix: "devhost")
        cancellation = try Cancellation()
        connection = try GuestConnection(
            options.target, folder: folder.path, environment: options.environment, cancellation: cancellation)
        rsync = try ProgramFinder.find("rsync", environment: options.environment)
    }

    /// Whether rsync takes the content of the source for what is sent, and not the folder itself.
    private static func meansContent(_ source: String) -> Bool {
        ["", ".", ".."].contains(source.split(separator: "/", omittingEmptySubsequences: false).last ?? "")
    }

    private static func isHomeOrRoot(_ destination: String) -> Bool {
        var parts: [Substring] = []
        for (index, part) in destination.split(separator: "/").enumerated() {
            switch part {
            case ".": break
            case "..": _ = parts.popLast()
            // rsync takes this for somebody's home.
            case _ where index == 0 && destination.hasPrefix("~"): break
            default: parts.append(part)
            }
        }
        return parts.isEmpty
    }

    /// Sends what differs, and takes away what is gone. Once it has been cancelled, nothing more can be sent.
    /// - Throws: `unavailable` where the VM cannot be reached, `failed` with rsync's words.
    public func once() async throws {
        try await withTaskCancellationHandler {
            try await send()
        } onCancel: {
            cancellation.cancel()
            connection.abort()
        }
    }

    private func send() async throws {
        do {
            try await Blocking.run { try self.connection.open() }
        } catch {
            try Task.checkCancellation()
            throw error
        }
        try Task.checkCancellation()
        var arguments = [
            "-rlptz", "--delete", "--exclude=.git", "--safe-links", "--secluded-args", "--no-owner", "--no-group",
        ]
        if let user = options.user {
            // sudo stays in the folder of the user who logged in; relative paths begin at the other one's home.
            arguments.append(
                #"--rsync-path=sudo -n -H -u \#(user.shellQuoted) -- sh -c 'cd && exec rsync "$@"' rsync"#)
        }
        arguments += ["-e", connection.sharingShell, "--", options.source]
        var command = Command(rsync, arguments + ["\(options.target.host):\(options.destination)"])
        command.environment = ProgramFinder.environment(from: options.environment)
        let result = try await Processes.run(command, limit: .seconds(24 * 3600))
        try Task.checkCancellation()
        // 24: a file went away between rsync's looking and its reading; the next burst brings that over.
        guard result.status == 0 || result.status == 24 else {
            let lines = result.errorText.trimmed.split(separator: "\n").map { String($0).printable }
            throw DevhostError(
                result.status == 255 ? .unavailable : .failed,
                "rsync to \(options.target.host) ended with status \(result.status): \(lines.first ?? "")",
                details: lines.count > 1 ? lines.joined(separator: "\n") : nil)
        }
    }

    /// Sends what differs now and after every change, until the task is cancelled.
    /// - Parameter sent: Called after each time, with how long it took.
    /// - Throws: What ``once()`` throws for the first time and for a connection that is lost; later failures of rsync,
    ///   such as a file that changes while it is read, are handed to `failed` and tried again with the next change.
    public func watch(
        sent: @Sendable (Duration) -> Void, failed: @Sendable (DevhostError) -> Void
    ) async throws {
        // The watch begins before the first copy: a change in between is none too many.
        let watcher = try FolderWatcher(options.source)
        var isFirst = true
        repeat {
            let start = ContinuousClock.now
            do {
                try await once()
                sent(.now - start)
            } catch let error as DevhostError where !isFirst && error.code == .failed {
                failed(error)
            }
            isFirst = false
        } while try await watcher.nextBurst()
    }

    /// Ends the connection.
    public func close() async {
        await connection.close()
        folder.remove()
    }
}
