/// What an environment keeps beside its ssh configuration: the key pair with which its VMs are entered, and their host
/// keys. It lies in a folder of the project that only its user may enter and that git ignores by itself.
struct EnvironmentKeys: Sendable {
    /// The private key; the public one beside it ends in `.pub`.
    let keyPath: String
    /// The host keys of the VMs, as ssh reads them.
    let knownHostsPath: String
    /// The public key: type, key and a comment.
    let publicKey: String

    static func folder(of configuration: EnvironmentConfiguration) -> String {
        "\(configuration.projectFolder)/.devhost"
    }

    /// The keys of an environment, made if they are not there.
    static func ensure(
        _ configuration: EnvironmentConfiguration, environment: [String: String]
    ) async throws -> EnvironmentKeys {
        let folder = folder(of: configuration)
        try Files.createDirectory(folder, mode: 0o700)
        let ignored = "\(folder)/.gitignore"
        if !Files.exists(ignored) { try Files.writeAtomically(ignored, Array("*\n".utf8), mode: 0o644) }
        let path = "\(folder)/key_\(configuration.name)"
        if !Files.exists(path) || !Files.exists("\(path).pub") {
            // A crash must not leave half of a pair under the final name.
            let temporary = "\(path).new"
            try Files.remove(temporary)
            try Files.remove("\(temporary).pub")
            var command = Command(
                try ProgramFinder.find("ssh-keygen", environment: environment),
                ["-q", "-t", "ed25519", "-N", "", "-C", "devhost \(configuration.name)", "-f", temporary])
            command.environment = ProgramFinder.environment(from: environment)
            try await Processes.require(command)
            try Files.rename("\(temporary).pub", to: "\(path).pub")
            try Files.rename(temporary, to: path)
        }
        return EnvironmentKeys(
            keyPath: path, knownHostsPath: "\(folder)/known_hosts_\(configuration.name)",
            publicKey: try Files.readText("\(path).pub", limit: 16384).trimmed)
    }
}
