import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What rsync's way into the guest needs to know of the COPY that started it.
struct CopyTransport: Sendable {
    /// The folder in the VM that must be there.
    let folder: String
    /// To whom folders belong that have to be made.
    let owner: String
}

extension ProvisionSession {
    /// Files up to this size go without rsync, which waits for itself for longer than it takes to send them.
    private static let smallFile: UInt64 = 128 << 10

    /// Carries out a COPY. Blocks.
    func copy(_ words: [String], in folder: String, for caller: ScriptCaller) throws -> Int32 {
        var words = words
        let copyOptions = try CopyOptions.parse(&words)
        guard words.count == 2 else {
            throw DevhostError(
                .invalidArgument, "\(words.count) words are not a local and a remote path",
                next: "write COPY [--chown=…] [--chmod=…] LOCAL REMOTE")
        }
        let remote = try RemotePath(words[1])
        let sources = try localPaths(words[0], in: folder)
        if options.isDryRun { return 0 }
        let owners = try owners()
        let owner = try owner(copyOptions, default: owners.owner(of: remote))
        let parentOwner = owners.owner(of: remote)
        if sources.count == 1, let file = try SmallFile(sources[0], limit: Self.smallFile, mode: copyOptions.mode) {
            return try send(file, to: remote, owner: owner, parentOwner: parentOwner, for: caller)
        }
        // A folder, and several files, go into the remote path; rsync would make that as root's.
        let goesInto = remote.isFolder || sources.count > 1 || Files.isDirectory(sources[0])
        var transfer = Transfer(sources: sources, destination: remote.text, owner: owner, mode: copyOptions.mode)
        if sources.count == 1, Files.isLink(sources[0]) { transfer.followLink() }
        return try synchronize(
            transfer, CopyTransport(folder: goesInto ? remote.normalized : remote.parent, owner: parentOwner),
            for: caller)
    }

    /// What is to be copied: relative to the script's working directory, or to its folder where it has gone elsewhere.
    private func localPaths(_ path: String, in folder: String) throws -> [String] {
        guard !path.isEmpty else { throw DevhostError(.invalidArgument, "the local path is empty") }
        let scriptFolder = options.folder
        let found = LocalSource.paths(path, in: [folder, scriptFolder])
        guard !found.isEmpty else { throw DevhostError(.notFound, "\(path.quoted) is not in \(scriptFolder.quoted)") }
        return found
    }

    /// `user:group`, where a user alone has the group that the VM gives it.
    private func owner(_ copyOptions: CopyOptions, default owner: String) throws -> String {
        guard let user = copyOptions.user else { return owner.isEmpty ? "root:root" : owner }
        if let group = copyOptions.group { return "\(user):\(group)" }
        if user.utf8.allSatisfy(Ascii.isDigit) { return "\(user):\(user)" }
        guard let group = try connection.query(["id", "-gn", "--", user]) else {
            throw DevhostError(.notFound, "the VM has no user \(user.quoted)")
        }
        return "\(user):\(group)"
    }

    // MARK: One small file

    private func send(
        _ file: SmallFile, to remote: RemotePath, owner: String, parentOwner: String, for caller: ScriptCaller
    ) throws -> Int32 {
        let (length, text) = GuestAgent.split(file.content)
        let fields: [[UInt8]] =
            [
                remote.text, file.name, String(file.mode, radix: 8), file.time, owner == "root:root" ? "" : owner,
                parentOwner, String(length),
            ].map { Array($0.utf8) } + [text]
        let mark = GuestConnection.newMark()
        return try connection.carryOut(
            Exchange(
                mark: mark,
                request: GuestAgent.request("copy", mark: mark, fields, content: length > 0 ? file.content : []),
                output: caller.output, errors: caller.errors, watched: caller.watched)
        ).status
    }

    // MARK: Everything else

    /// What rsync is told to send.
    private struct Transfer {
        var sources: [String]
        var destination: String
        let owner: String
        let mode: String?
        var options: [String] = []

        /// Sends what the one source leads to, under the link's own name: rsync would send the link itself, or nothing
        /// where it leads out of its folder. Links within a folder stay links.
        mutating func followLink() {
            if Files.isDirectory(sources[0]) {
                destination += "/\(ProvisionSession.name(of: sources[0]))/"
                sources[0] += "/"
            } else {
                options = ["--copy-links"]
            }
        }
    }

    private func synchronize(
        _ transfer: Transfer, _ transport: CopyTransport, for caller: ScriptCaller
    ) throws -> Int32 {
        let number = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        state.withLock { $0.copies[number] = transport }
        defer { state.withLock { $0.copies[number] = nil } }
        let shell = [options.helper, ScriptHelper.transportWord, socketPath, number]
        var arguments = ["-az", "--safe-links", "--secluded-args", "--chown=\(transfer.owner)"] + transfer.options
        if let mode = transfer.mode { arguments.append("--chmod=\(mode)") }
        arguments += ["-e", shell.map(\.shellQuoted).joined(separator: " "), "--"]
        arguments += transfer.sources + ["vm:\(transfer.destination)"]
        var command = Command(try ProgramFinder.find("rsync", environment: options.environment), arguments)
        command.environment = ProgramFinder.environment(from: options.environment)
        let null = try FileDescriptor.open("/dev/null", O_RDONLY)
        let rsync = try ChildProcess(
            command, input: null.number, output: caller.output, errors: caller.errors, inNewSession: true)
        return rsync.wait(endingWhenClosed: caller.watched)
    }

    /// Carries rsync's own connection. Blocks.
    func carryOutTransport(_ call: ScriptCall, for caller: ScriptCaller) throws -> Int32 {
        guard let copy = state.withLock({ $0.copies[call.text(0)] }), call.fields.count > 2 else {
            throw DevhostError(.damaged, "rsync asks for a way that nobody promised")
        }
        let fields = [copy.folder, copy.owner].map { Array($0.utf8) } + call.fields[2...]
        let mark = GuestConnection.newMark()
        return try connection.carryOut(
            Exchange(
                mark: mark, request: GuestAgent.request("rsync", mark: mark, fields),
                source: Exchange.Source(descriptor: caller.input), output: caller.output, errors: caller.errors,
                watched: caller.watched)
        ).status
    }
}
