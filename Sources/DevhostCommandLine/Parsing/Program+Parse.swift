import DevhostBase

extension Program {
    /// What a command line asks for.
    package enum Request: Sendable {
        /// The help of the program, or of one command.
        case help(CommandUsage?)
        /// The version.
        case version
        /// A command with its arguments.
        case run(any ProgramCommand.Type, Arguments)
    }

    /// Parses a command line. Touches nothing and has no side effect.
    /// - Parameter words: The words after the program's name.
    /// - Throws: `invalidArgument` with the next step.
    package func parse(_ words: [String]) throws(DevhostError) -> Request {
        var before = ArgumentParser(program: self, usage: CommandUsage(name, summary: summary, options: [Self.version]))
        let start = try before.parseOptionsBeforeCommand(words[...])
        if before.arguments.has(Self.help) { return .help(nil) }
        if before.arguments.has(Self.version) { return .version }
        guard let first = start.first else {
            throw DevhostError(.invalidArgument, "a command is missing", next: "see '\(name) --help'")
        }
        let (command, rest) = try find(first, start.dropFirst())
        var parser = ArgumentParser(program: self, usage: command.usage)
        parser.take(over: before)
        do {
            try parser.parse(rest)
            if parser.arguments.has(Self.help) { return .help(command.usage) }
            try parser.finish()
        } catch {
            throw withHelp(error, for: command.usage)
        }
        return .run(command, parser.arguments)
    }

    /// The error with a hint at the help where it says nothing else to do next.
    func withHelp(_ error: DevhostError, for usage: CommandUsage) -> DevhostError {
        error.suggesting("see '\(name) \(usage.name) --help'")
    }

    private func find(
        _ first: String, _ rest: ArraySlice<String>
    ) throws(DevhostError) -> (any ProgramCommand.Type, ArraySlice<String>) {
        let group = group(first)
        if let second = rest.first, group.contains(second), let command = command(named: "\(first) \(second)") {
            return (command, rest.dropFirst())
        }
        if let command = command(named: first) { return (command, rest) }
        if !group.isEmpty {
            throw DevhostError(
                .invalidArgument, "'\(name) \(first)' is not complete",
                next: "use one of: " + group.map { "\(first) \($0)" }.joined(separator: ", "))
        }
        let near = Suggestion.nearest(to: first, among: visibleUsages.flatMap(\.names))
        throw DevhostError(
            .invalidArgument, "\(first.quoted) is not a command",
            next: near.map { "did you mean '\($0)'?" } ?? "see '\(name) --help'")
    }
}

extension DevhostError {
    /// The error with something to do next, unless it says that itself.
    func suggesting(_ step: String?) -> DevhostError {
        guard nextStep == nil, let step else { return self }
        return DevhostError(code, message, next: step, underlying: underlying, details: details)
    }
}
