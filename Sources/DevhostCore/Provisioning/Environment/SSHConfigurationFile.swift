/// The ssh configuration of an environment: one block per VM, and the user's own settings for every other host.
package struct SSHConfigurationFile: Sendable {
    /// One VM.
    package struct Entry: Sendable, Hashable {
        let name: VMName
        /// The host's name in its environment.
        let hostName: String
        /// The other names by which ssh shall know it, where nothing else has them.
        let aliases: [String]
        /// The devhost; nil where this machine is it.
        let jump: String?
        /// The VM's ssh host key, type and key; nil where the devhost does not know it.
        let hostKey: String?

        package init(name: VMName, hostName: String, aliases: [String], jump: String?, hostKey: String?) {
            self.name = name
            self.hostName = hostName
            self.aliases = aliases
            self.jump = jump
            self.hostKey = hostKey
        }
    }

    let entries: [Entry]
    /// The names of all hosts of the environment, also of those whose VMs are not known.
    let hostNames: [String]
    let keys: EnvironmentKeys
    /// The files whose settings apply to other hosts.
    let included: [String]

    package init(entries: [Entry], hostNames: [String], keys: EnvironmentKeys, included: [String]) {
        self.entries = entries
        self.hostNames = hostNames
        self.keys = keys
        self.included = included
    }

    /// The configuration. Blocks of VMs come first and nothing else applies to them: ssh takes the first value that it
    /// finds, but would offer the keys of all blocks that match.
    package var text: String {
        var text = "# Written by devhost-provision up; changes here are lost.\n"
        let names = names
        for (entry, names) in zip(entries, names) {
            text += """

                Host \(names.joined(separator: " "))
                    HostName \(entry.name)
                    HostKeyAlias \(entry.name)
                    User developer
                    IdentityFile \(Self.quoted(keys.keyPath))
                    IdentitiesOnly yes
                    UserKnownHostsFile \(Self.quoted(keys.knownHostsPath))
                    StrictHostKeyChecking \(entry.hostKey == nil ? "accept-new" : "yes")
                    HostKeyAlgorithms \(Self.algorithms(entry.hostKey))

                """
            if let jump = entry.jump { text += "    ProxyJump \(jump)\n" }
        }
        let others = (["*"] + Set(names.joined()).sorted().map { "!\($0)" }).joined(separator: " ")
        for file in included { text += "\nHost \(others)\n    Include \(Self.quoted(file))\n" }
        return text
    }

    /// The names in each VM's block, its own first. Aliases are given out last: one that is also another host's name
    /// means that host, whether its VM is there or not.
    private var names: [[String]] {
        // A name that is also a devhost's must go on meaning that: the way to the VM leads over it.
        var taken = Set(entries.compactMap { $0.jump.map(Self.hostName) } + entries.map(\.name.description))
        var names = entries.map { [$0.name.description] }
        for (index, entry) in entries.enumerated() where taken.insert(entry.hostName).inserted {
            names[index].append(entry.hostName)
        }
        taken.formUnion(hostNames)
        for (index, entry) in entries.enumerated() {
            names[index] += entry.aliases.filter { taken.insert($0).inserted }
        }
        return names
    }

    /// The host keys.
    package var knownHosts: String {
        entries.compactMap { entry in entry.hostKey.map { "\(entry.name) \($0)\n" } }.joined()
    }

    /// The host in ssh's `[USER@]HOST[:PORT]`.
    static func hostName(_ destination: String) -> String {
        String((destination.split(separator: "@").last ?? "").prefix { $0 != ":" })
    }

    /// ssh reads a path with blanks in double quotes, and expands % in it.
    private static func quoted(_ path: String) -> String { "\"\(path.replacingScalars(["%": "%%"]))\"" }

    /// ssh must ask for the key that is known, not for one of another type that the VM has too.
    private static func algorithms(_ hostKey: String?) -> String {
        guard let type = hostKey?.split(separator: " ").first else { return "+ssh-ed25519" }
        return type == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : String(type)
    }
}
