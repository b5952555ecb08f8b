/// What an environment keeps beside its ssh configuration: the key pair with which its VMs are entered, and their host
/// keys. It lies in a folder of the project that only its user may enter and that git ignores by itself.
package struct EnvironmentKeys: Sendable {
    /// The private key; the public one beside it ends in `.pub`.
    package let keyPath: String
    /// The host keys of the VMs, as ssh reads them.
    package let knownHostsPath: String
    /// The public key: type, key and a comment.
    package let publicKey: String

    package init(keyPath: String, knownHostsPath: String, publicKey: String) {
        self.keyPath = keyPath
        self.knownHostsPath = knownHostsPath
        self.publicKey = publicKey
    }

    static func folder(of configuration: EnvironmentConfiguration) -> String {
        "\(configuration.projectFolder)/.devhost"
    }

    /// Takes the lock on what a checkout keeps about an environment's VMs: the keys, the host keys, the VMs' names and the
    /// ssh configuration.
    /// - Parameter waiting: Called once with who holds it if it is not free.
    /// - Throws: `busy` after two minutes.
    static func lock(_ configuration: EnvironmentConfiguration, waiting: (String) -> Void) async throws -> FileLock {
        let folder = folder(of: configuration)
        try Files.createDirectory(folder, mode: 0o700)
        return try await FileLock.acquire(
            "\(folder)/lock_\(configuration.name)", holder: "another 'devhost-provision up' in this checkout",
            limit: .seconds(120), clock: RealClock(), waiting: waiting)
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
