/// Finds what a project keeps about its VMs, from anywhere within it.
public enum ProjectFile {
    /// What the name of an environment's ssh configuration begins with.
    private static let prefix = "ssh_config_"

    /// The ssh configuration in which a VM stands, in a folder or one above it, up to the project's.
    ///
    /// An ssh configuration can name programs to be run: one that somebody else could have written is passed over, also
    /// in a folder above one's own, as that of a shared machine's root or of /tmp.
    /// - Returns: Its path; nil where no project knows the VM.
    /// - Throws: `conflict` where several environments of the project have a VM of this name.
    public static func sshConfiguration(of vm: String, below folder: String) throws(DevhostError) -> String? {
        var parts = folder.split(separator: "/").filter { $0 != "." }
        while true {
            let current = "/" + parts.joined(separator: "/")
            let names = Files.status(current)?.keepsOthersOut == true ? (try? Files.names(in: current)) ?? [] : []
            let found = names.filter { $0.hasPrefix(prefix) }.sorted()
                .map { current == "/" ? "/\($0)" : "\(current)/\($0)" }
                .filter { Files.status($0)?.isProtected == true && mentions(vm, $0) }
            guard found.count < 2 else {
                throw DevhostError(
                    .conflict, "several environments have a VM \(vm.quoted): \(found.joined(separator: ", "))",
                    next: "name the one that is meant with --ssh-config FILE")
            }
            if let path = found.first { return path }
            guard !names.contains("environments"), parts.popLast() != nil else { return nil }
        }
    }

    /// The service user of a VM, as the environment says for which an ssh configuration was written; nil where the
    /// file is none of an environment, or no service user is named there.
    public static func serviceUser(of vm: String, in configuration: String) -> String? {
        let name = ProvisionSession.name(of: configuration)
        guard name.hasPrefix(prefix) else { return nil }
        let environment = try? EnvironmentConfiguration(
            folder: "\(Files.directory(of: configuration))/environments/\(name.dropFirst(prefix.count))")
        return environment?.hosts.first { $0.name == vm }?.serviceUser ?? environment?.serviceUser
    }

    private static func mentions(_ vm: String, _ path: String) -> Bool {
        guard let text = try? Files.readText(path, limit: 1 << 20) else { return false }
        return text.split(separator: "\n").contains { line in
            let words = line.split(separator: " ")
            return words.first == "Host" && words.dropFirst().contains { $0 == vm }
        }
    }
}
