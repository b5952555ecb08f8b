import Glibc

/// An ssh client that is ready to run, with the files it needs for as long as this value lives.
public final class LoginSession: Sendable {
    private let command: Command
    private let folder: TemporaryDirectory

    init(command: Command, folder: TemporaryDirectory) {
        self.command = command
        self.folder = folder
    }

    /// Runs the client on this process's terminal to its end.
    /// - Returns: The exit status: the remote command's, or 255 where ssh failed.
    public func run() async throws -> Int32 {
        defer { withExtendedLifetime(folder) {} }
        return try await Processes.runAttached(command)
    }

    /// Runs the client with nothing to read and its output in memory.
    /// - Returns: The exit status, and what the command wrote to its two outputs.
    public func capture(limit: Duration) async throws -> (status: Int32, output: [UInt8], errorOutput: [UInt8]) {
        defer { withExtendedLifetime(folder) {} }
        let result = try await Processes.run(command, limit: limit)
        return (result.status, result.output, result.errorOutput)
    }
}

extension Devhost {
    /// Prepares a login as `developer`, or a command there. The ssh client runs as the caller, never as root, with a
    /// key that was made for this login and that only this VM accepts.
    /// - Parameter command: What to run; empty for a shell. Several words are joined by blanks, as ssh does.
    /// - Throws: `notFound`, `unsupported` where ssh is not installed.
    public func login(_ name: VMName, command words: [String] = []) async throws -> LoginSession {
        try await audited("login", name) { try await prepareLogin(name, command: words) }
    }

    private func prepareLogin(_ name: VMName, command words: [String]) async throws -> LoginSession {
        let record = try records.require(name)
        guard let ipv4 = record.ipv4, let hostKey = record.hostKey else {
            throw DevhostError(
                .notFound, "\(name) has no address or no host key on record", next: "run 'fc-devhost ensure \(name)'")
        }
        let folder = try TemporaryDirectory(prefix: "devhost-login")
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
            try folder.hand(to: user)
        }
        return LoginSession(command: ssh, folder: folder)
    }
}
