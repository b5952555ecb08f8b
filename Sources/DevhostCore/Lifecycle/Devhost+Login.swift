import Glibc

/// An ssh client that is ready to run once, with the files it needs until it has run or this value goes.
public final class LoginSession: Sendable {
    private let command: Command
    private let folder: HeldDirectory

    init(command: Command, folder: HeldDirectory) {
        self.command = command
        self.folder = folder
    }

    /// Runs the client on this process's terminal to its end.
    /// - Returns: The exit status: the remote command's, or 255 where ssh failed.
    public func run() async throws -> Int32 {
        defer { folder.remove() }
        return try await Processes.runAttached(command)
    }

    /// Runs the client with nothing to read and its output in memory.
    /// - Returns: The exit status, and what the command wrote to its two outputs.
    /// - Throws: `timedOut` past the limit, `refused` for more than 4 MiB on one output.
    public func capture(limit: Duration) async throws -> (status: Int32, output: [UInt8], errorOutput: [UInt8]) {
        defer { folder.remove() }
        let result = try await Processes.run(command, limit: limit)
        return (result.status, result.output, result.errorOutput)
    }
}

extension Devhost {
    /// Prepares a login as `developer`, or a command there. The ssh client runs as the caller, never as root, with a
    /// key that was made for this login and that only this VM accepts. The key is the caller's, the folder that it lies
    /// in is not: whoever owned that could put another one in its place before root takes it away.
    /// - Parameter command: What to run; empty for a shell. Several words are joined by blanks, as ssh does.
    /// - Throws: `notFound`, `unsupported` where ssh is not installed.
    public func login(_ name: VMName, command words: [String] = []) async throws -> LoginSession {
        try await audited(.login, name) { try await prepareLogin(name, command: words) }
    }

    private func prepareLogin(_ name: VMName, command words: [String]) async throws -> LoginSession {
        let record = try records.require(name)
        guard let ipv4 = record.ipv4, let hostKey = record.hostKey else {
            throw DevhostError(
                .notFound, "\(name) has no address or no host key on record", next: "run 'fc-devhost ensure \(name)'")
        }
        let folder = try HeldDirectory(in: layout.logins)
        try await LoginCertificate.issue(
            for: name, authority: layout.bootstrapKey, caller: caller.name, in: folder.path)
        let knownHosts = "\(folder.path)/known_hosts"
        try Files.write(knownHosts, Array("\(name) \(hostKey)\n".utf8), mode: 0o600)
        var ssh = Command(
            "ssh",
            GuestShell.options(knownHosts: knownHosts, name: name) + [
                "-i", "\(folder.path)/key", "-o", "CertificateFile=\(folder.path)/key-cert.pub", "-e", "none",
                "developer@\(ipv4)",
            ] + (words.isEmpty ? [] : ["--"] + words))
        if caller.isElevated {
            guard let user = User(id: caller.userID) else {
                throw DevhostError(.permissionDenied, "this machine knows no user with the number \(caller.userID)")
            }
            ssh.user = user
            ssh.hasLimitsOfCaller = true
            try folder.give(["key", "key-cert.pub", "known_hosts"], to: user)
        }
        // A full disk keeps nobody out; the login shows in the guest too.
        try? useStore.leave(.login, of: name, Timestamp(clock.now))
        return LoginSession(command: ssh, folder: folder)
    }

    /// Takes away the keys of logins whose process was killed, which a day makes worthless anyway.
    public func forgetLogins() { HeldDirectory.collect(in: layout.logins) }
}
