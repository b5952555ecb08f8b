/// Finds what a project keeps about its VMs, from anywhere within it.
public enum ProjectFile {
    /// The ssh configuration in which a VM stands, in a folder or one above it, up to the project's.
    ///
    /// An ssh configuration can name programs to be run: one that somebody else could have written is passed over, also
    /// in a folder above one's own, as that of a shared machine's root or of /tmp.
    /// - Returns: Its path, and the service user of the VM's environment; nil where no project knows the VM.
    public static func sshConfiguration(of vm: String, below folder: String) -> (path: String, serviceUser: String?)? {
        var parts = folder.split(separator: "/").filter { $0 != "." }
        while true {
            let current = "/" + parts.joined(separator: "/")
            let prefix = "ssh_config_"
            let names = Files.status(current)?.keepsOthersOut == true ? (try? Files.names(in: current)) ?? [] : []
            for name in names where name.hasPrefix(prefix) {
                let path = current == "/" ? "/\(name)" : "\(current)/\(name)"
                guard Files.status(path)?.isProtected == true, mentions(vm, path) else { continue }
                let environment = try? EnvironmentConfiguration(
                    folder: "\(current)/environments/\(name.dropFirst(prefix.count))")
                let host = environment?.hosts.first { $0.name == vm }
                return (path, host?.serviceUser ?? environment?.serviceUser)
            }
            guard !names.contains("environments"), parts.popLast() != nil else { return nil }
        }
    }

    private static func mentions(_ vm: String, _ path: String) -> Bool {
        guard let text = try? Files.readText(path, limit: 1 << 20) else { return false }
        return text.split(separator: "\n").contains { line in
            let words = line.split(separator: " ")
            return words.first == "Host" && words.dropFirst().contains { $0 == vm }
        }
    }
}
