extension SSHConfigurationFile {
    /// Lets ssh itself read what will be written, before any VM is made: a path that it would take otherwise, a file that it
    /// refuses to include, a line that it does not understand.
    /// - Throws: `invalidConfiguration` with ssh's words, or with the path.
    package func check(environment: [String: String]) async throws {
        let unusable = DevhostError(
            .invalidConfiguration, "ssh cannot take the path \(path.quoted) from a configuration",
            next: "move the project to a folder without '${' and control characters in its path")
        if path.printable != path { throw unusable }
        let sample = SSHConfigurationFile(
            entries: [
                Entry(
                    name: try VMName("devhost-check"), hostName: "devhost-check", aliases: [], jump: nil, hostKey: nil)
            ], hostNames: hostNames, keys: keys, included: included, path: path)
        let folder = try TemporaryDirectory(prefix: "devhost")
        let file = "\(folder.path)/ssh_config"
        try Files.write(file, Array(sample.text.utf8), mode: 0o600)
        var command = Command(
            try ProgramFinder.find("ssh", environment: environment), ["-G", "-F", file, "devhost-check"])
        command.environment = ProgramFinder.environment(from: environment)
        let result = try await Processes.run(command)
        guard result.status == 0 else {
            let words = result.errorText.split(whereSeparator: \.isNewline).map { String($0).printable }
            throw DevhostError(
                .invalidConfiguration,
                "ssh refuses its configuration: \(words.last ?? "it ended with status \(result.status)")",
                next: "mend the file; 'up' includes \(included.joined(separator: ", "))",
                details: words.count > 1 ? words.joined(separator: "\n") : nil)
        }
        let expected = "userknownhostsfile \(keys.knownHostsPath)"
        guard result.text.split(separator: "\n").contains(where: { $0 == expected }) else {
            throw unusable
        }
    }
}
