/// Keeps files of a checkout out of git without touching what is committed: in the checkout's own list of exclusions.
enum GitIgnore {
    /// Sees to it that git ignores files; does nothing where there is no git or no checkout.
    static func ensure(_ paths: [String], in folder: String, environment: [String: String]) async throws {
        guard let git = try? ProgramFinder.find("git", environment: environment) else { return }
        func run(_ arguments: [String]) async throws -> CommandResult {
            var command = Command(git, ["-C", folder] + arguments)
            command.environment = ProgramFinder.environment(from: environment)
            return try await Processes.run(command)
        }
        var missing: [String] = []
        for path in paths {
            // 0: ignored, 1: not ignored, 128: no checkout.
            if try await run(["check-ignore", "-q", "--", path]).status == 1 { missing.append(path) }
        }
        guard !missing.isEmpty else { return }
        let top = try await run(["rev-parse", "--show-toplevel"]).text.trimmed
        let list = try await run(["rev-parse", "--path-format=absolute", "--git-path", "info/exclude"])
        guard list.status == 0, !top.isEmpty else { return }
        let path = list.text.trimmed
        var content = try Files.readIfPresent(path, limit: 1 << 20)
        if let last = content.last, last != Ascii.newline { content.append(Ascii.newline) }
        for missing in missing where missing.hasPrefix("\(top)/") {
            content += Array("\(missing.dropFirst(top.count))\n".utf8)
        }
        try Files.createDirectory(Files.directory(of: path), mode: 0o755)
        try Files.writeAtomically(path, content, mode: 0o644)
    }
}
