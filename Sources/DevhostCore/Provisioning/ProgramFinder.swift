#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Finds programs the way the user's shell does: a developer's machine has them where its package manager puts them.
package enum ProgramFinder {
    /// The absolute path of a program.
    /// - Throws: `unsupported` where it is not installed.
    package static func find(_ program: String, environment: [String: String]) throws -> String {
        for folder in (environment["PATH"] ?? Command.searchPath).split(separator: ":") where folder.hasPrefix("/") {
            let path = "\(folder)/\(program)"
            if access(path, X_OK) == 0, !Files.isDirectory(path) { return path }
        }
        return try Processes.find(program)
    }

    /// What programs of ours find in their environment: what they need of the user's, and nothing that a script's
    /// secrets could be in.
    package static func environment(from environment: [String: String]) -> [String: String] {
        let names: Set<String> = [
            "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TMPDIR", "TERM", "SSH_AUTH_SOCK", "KRB5CCNAME",
            "GNUPGHOME", "GPG_TTY", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS",
        ]
        return environment.filter { names.contains($0.key) || $0.key.hasPrefix("LC_") }
            .merging(["PATH": Command.searchPath]) { own, _ in own }
    }
}
