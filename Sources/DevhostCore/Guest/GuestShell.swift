/// Runs commands as root in a guest, over ssh with the devhost's own key and a host key that is checked.
struct GuestShell: Sendable {
    let name: VMName
    let address: IPv4Address
    /// The guest's public host key.
    let hostKey: String
    /// The file of the devhost's private key.
    let identity: String

    /// Runs a script with `sh` as root in the guest.
    /// - Parameter input: What the script reads from its standard input.
    /// - Throws: `guestFailed` with what it said where it fails, `unavailable` where ssh cannot log in.
    @discardableResult
    func run(_ script: String, input: [UInt8] = [], limit: Duration) async throws -> CommandResult {
        let folder = try TemporaryDirectory(prefix: "devhost-ssh")
        let knownHosts = "\(folder.path)/known_hosts"
        try Files.write(knownHosts, Array("\(name) \(hostKey)\n".utf8), mode: 0o600)
        var command = Command(
            "ssh",
            Self.options(knownHosts: knownHosts, name: name) + [
                "-i", identity, "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "developer@\(address)",
                Self.command(script),
            ])
        command.input = Array(script.utf8) + input
        let result = try await Processes.run(command, limit: limit)
        if result.status == 255 {
            throw DevhostError(
                .unavailable, "cannot log in to \(name): \(Self.lastWords(result.errorOutput, lines: 1))",
                next: "see 'fc-devhost logs \(name)'")
        }
        guard result.status == 0 else {
            throw DevhostError(
                .guestFailed,
                "a command in \(name) ended with status \(result.status): \(Self.lastWords(result.errorOutput))")
        }
        return result
    }

    /// What sshd's shell is given, whichever the user has: a program that reads the script from its input, as csh takes no
    /// word of several lines.
    static func command(_ script: String) -> String {
        #"exec sudo -n sh -c 'eval "$(head -c \#(script.utf8.count))"'"#
    }

    /// The end of what a program said, on one line: a guest can say any amount, and ssh puts a page before the reason why
    /// it refuses a host key.
    /// - Parameter lines: How many lines are enough.
    static func lastWords(_ output: [UInt8], lines: Int = .max) -> String {
        String(decoding: output.suffix(2048), as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { String($0).trimmed }.filter { !$0.isEmpty }.suffix(lines).joined(separator: " ").printable
    }

    /// The options of every ssh client that the devhost starts: nobody's configuration, no agent, no forwarding, and
    /// the guest is who its host key says.
    static func options(knownHosts: String, name: VMName) -> [String] {
        [
            "-F", "none", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "ForwardAgent=no",
            "-o", "UserKnownHostsFile=\(knownHosts)", "-o", "GlobalKnownHostsFile=none",
            "-o", "StrictHostKeyChecking=yes", "-o", "HostKeyAlias=\(name)", "-o", "UpdateHostKeys=no",
            "-o", "PreferredAuthentications=publickey", "-o", "LogLevel=ERROR",
        ]
    }
}
