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
        let jump: SSHDestination?
        /// The VM's ssh host key, type and key; nil where the devhost does not know it.
        let hostKey: String?

        package init(name: VMName, hostName: String, aliases: [String], jump: SSHDestination?, hostKey: String?) {
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
    /// Where the configuration is to lie.
    let path: String

    package init(
        entries: [Entry], hostNames: [String], keys: EnvironmentKeys, included: [String], path: String
    ) {
        self.path = path
        self.entries = entries
        self.hostNames = hostNames
        self.keys = keys
        self.included = included
    }

    /// The configuration. Blocks of VMs come first and nothing else applies to them: ssh takes the first value that it
    /// finds, but would offer the keys of all blocks that match.
    package var text: String {
        // ssh checks files that it includes also where they do not apply, and heeds their own IgnoreUnknown only where they
        // do: a file that people share between machines would end every connection to a VM.
        var text = "# Written by devhost-provision up; changes here are lost.\nIgnoreUnknown *\n"
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
            if let jump = entry.jump { text += "    \(way(jump))\n" }
        }
        let others = (["*"] + Set(names.joined()).sorted().map { "!\($0)" }).joined(separator: " ")
        for file in included { text += "\nHost \(others)\n    Include \(Self.quotedPattern(file))\n" }
        return text
    }

    /// How ssh gets to a VM of a devhost. For ProxyJump ssh has a shell start another ssh with the path of this file as it
    /// is: what a shell would take for something else has to be written in full.
    private func way(_ devhost: SSHDestination) -> String {
        if path.shellQuoted == path && !path.contains("%") { return "ProxyJump \(devhost.jump)" }
        return "ProxyCommand ssh -F \(path.shellQuoted.replacingScalars(["%": "%%"])) -W '[%h]:%p' "
            + devhost.arguments.map(\.shellQuoted).joined(separator: " ")
    }

    /// The names in each VM's block, its own first. Aliases are given out last: one that is also another host's name
    /// means that host, whether its VM is there or not.
    private var names: [[String]] {
        // A name that is also a devhost's must go on meaning that: the way to the VM leads over it.
        var taken = Set(entries.compactMap { $0.jump?.host } + entries.map(\.name.description))
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

    /// A path as ssh reads it: in double quotes, with its own percent signs doubled.
    private static func quoted(_ path: String) -> String {
        "\"\(path.replacingScalars(["\\": "\\\\", "\"": "\\\"", "%": "%%"]))\""
    }

    /// A path where ssh reads a pattern: what would match something else stands behind a backslash.
    private static func quotedPattern(_ path: String) -> String {
        var pattern = ""
        for scalar in path.unicodeScalars {
            if "*?[]\\{}~".unicodeScalars.contains(scalar) { pattern.unicodeScalars.append("\\") }
            pattern.unicodeScalars.append(scalar)
        }
        return "\"\(pattern.replacingScalars(["\\": "\\\\", "\"": "\\\""]))\""
    }

    /// ssh must ask for the key that is known, not for one of another type that the VM has too.
    private static func algorithms(_ hostKey: String?) -> String {
        guard let type = hostKey?.split(separator: " ").first else { return "+ssh-ed25519" }
        return type == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : String(type)
    }
}
