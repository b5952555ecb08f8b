#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension ProvisionScript {
    /// The variables that every script finds set.
    public static let standardVariables: Set<String> = [
        "PROVISION_VM", "PROVISION_CONTAINER", "PROVISION_HOST", "PROVISION_CHANNEL", "PROVISION_IMAGE",
        "PROVISION_ALIASES", "PROVISION_HYDRA_EVAL", "PROVISION_UPDATE_CHANNEL", "PROVISION_VM_MEMORY",
        "PROVISION_VM_CORES", "PROVISION_VM_DISK_SIZE", "PROVISION_REBUILD", "SSH_CONFIG", "RSYNC_RSH",
    ]

    /// Finds what is wrong with the script without running it and without touching a VM.
    /// - Parameters:
    ///   - folder: Where local paths begin; nil leaves files unchecked.
    ///   - componentVariables: The `COMPONENT_…` variables that the environment sets; nil where they are not known,
    ///     which leaves them unchecked.
    /// - Returns: The problems in the order of the script.
    /// - Throws: `unsupported` where bash is not installed, and what starting a program throws.
    public func check(folder: String?, componentVariables: Set<String>? = nil) async throws -> [ScriptProblem] {
        var problems = try await syntaxProblems()
        problems += invisibleProblems()
        // A function of the script's own takes the verb's place: what it takes is its own matter.
        for statement in statements where !functions.contains(statement.verb.rawValue) {
            problems += self.problems(of: statement, folder: folder)
        }
        problems += variableProblems(componentVariables: componentVariables)
        return problems.sorted { ($0.line, $0.column, $0.message) < ($1.line, $1.column, $1.message) }
    }

    private func problem(
        _ severity: ScriptProblem.Severity, _ rule: ScriptProblem.Rule, _ position: Position, _ message: String
    ) -> ScriptProblem {
        ScriptProblem(
            severity: severity, rule: rule, source: source, line: position.line, column: position.column,
            message: message)
    }

    // MARK: Syntax

    /// What `bash -n` says. It carries out no `shopt -s extglob`, neither the script's nor that of a file that it reads,
    /// so that a script is good if bash can read it either way.
    private func syntaxProblems() async throws -> [ScriptProblem] {
        let plain = try await syntaxProblems([])
        guard plain.contains(where: { $0.severity == .error }) else { return plain }
        let extended = try await syntaxProblems(["-O", "extglob"])
        let isGood = !extended.contains { $0.severity == .error }
        return isGood || text.contains("extglob") ? extended : plain
    }

    /// It gives lines, no columns.
    private func syntaxProblems(_ options: [String]) async throws -> [ScriptProblem] {
        var command = Command("bash", ["--norc", "--noprofile"] + options + ["-n"])
        command.input = Array(text.utf8)
        let result = try await Processes.run(command)
        var problems: [ScriptProblem] = []
        for line in result.errorText.split(separator: "\n") {
            // `bash: line 3: syntax error near …`; the line that follows quotes the script.
            guard let start = line.firstRange(of: ": line ")?.upperBound, let end = line[start...].firstIndex(of: ":"),
                let number = Int(line[start..<end])
            else { continue }
            let message = String(line[line.index(after: end)...]).trimmed
            if message.hasPrefix("`") { continue }
            let severity: ScriptProblem.Severity = message.hasPrefix("warning:") ? .warning : .error
            problems.append(
                problem(severity, .syntax, Position(line: number, column: 1), "bash: \(message.printable)"))
        }
        if problems.isEmpty, result.status != 0 {
            problems = [problem(.error, .syntax, Position(line: 1, column: 1), "bash cannot read the script")]
        }
        return problems
    }

    /// Carriage returns and blanks that only look like ones, outside of quotes and here-documents: bash makes them part
    /// of a word, which nobody means.
    private func invisibleProblems() -> [ScriptProblem] {
        var lines: Set<Int> = []
        return invisible.compactMap { character in
            // One for a line is enough.
            guard lines.insert(character.position.line).inserted else { return nil }
            return problem(
                .error, .syntax, character.position,
                "\(character.name) stands here, which bash takes as part of a word; "
                    + (character.name == "a carriage return"
                        ? "save the script with the line ends of Unix" : "remove it, or write a space"))
        }
    }

    // MARK: Verbs

    private func problems(of statement: Statement, folder: String?) -> [ScriptProblem] {
        switch statement.verb {
        case .copy: copyProblems(statement, folder: folder)
        case .run: runProblems(statement)
        case .echo:
            arityProblems(statement, statement.arguments, 2...Int.max, "ECHO WORD… REMOTE")
                + remotePathProblems(statement.arguments.count >= 2 ? statement.arguments.last : nil)
        }
    }

    private func arityProblems(
        _ statement: Statement, _ arguments: [Argument], _ range: ClosedRange<Int>, _ usage: String
    ) -> [ScriptProblem] {
        if arguments.contains(where: \.canSplit) || range.contains(arguments.count) { return [] }
        let amount = arguments.isEmpty ? "nothing" : arguments.count == 1 ? "1 word" : "\(arguments.count) words"
        return [
            problem(
                .error, .arity, statement.position,
                "\(statement.verb.rawValue) is followed by \(amount); write \(usage)")
        ]
    }

    private func copyProblems(_ statement: Statement, folder: String?) -> [ScriptProblem] {
        var paths = statement.arguments
        var problems: [ScriptProblem] = []
        while let first = paths.first, first.literalPrefix.hasPrefix("--") {
            paths.removeFirst()
            if first.literalPrefix == "--" { break }
            if !CopyOptions.known.contains(where: { first.literalPrefix.hasPrefix("\($0)=") }) {
                problems.append(
                    problem(
                        .error, .option, first.position,
                        "COPY has no option \(first.text.quoted); it has --chown=USER[:GROUP] and --chmod=MODE"))
            }
        }
        // What a variable holds may be an option.
        if paths.count > 2, let first = paths.first, !first.isLiteral, first.literalPrefix.isEmpty { return problems }
        problems += arityProblems(statement, paths, 2...2, "COPY [--chown=…] [--chmod=…] LOCAL REMOTE")
        guard paths.count == 2 else { return problems }
        problems += remotePathProblems(paths[1])
        guard let folder, let local = paths[0].literal, !local.isEmpty else { return problems }
        guard LocalSource.paths(local, in: [folder]).isEmpty else { return problems }
        // The script may make the file, or look for it, before: where it names it, only a run can tell.
        let name = local.split(separator: "/").last.map(String.init) ?? local
        if names(name, before: statement.position) { return problems }
        let moves = !commands.isDisjoint(with: ["cd", "pushd"])
        problems.append(
            problem(
                moves ? .warning : .error, .missingFile, paths[0].position,
                "\(local.quoted) is not in \(folder.quoted)"
                    + (moves ? ", unless the script's cd makes it another folder" : "")))
        return problems
    }

    /// Whether the lines up to a statement name a file.
    private func names(_ name: String, before position: Position) -> Bool {
        let lines = text.utf8.split(separator: Ascii.newline, omittingEmptySubsequences: false)
        for line in lines.prefix(position.line - 1) {
            let written = String(decoding: line, as: UTF8.self)
            if !written.trimmed.hasPrefix("#"), written.contains(name) { return true }
        }
        guard position.line <= lines.count else { return false }
        let before = String(decoding: lines[position.line - 1], as: UTF8.self).unicodeScalars.prefix(
            position.column - 1)
        return String(String.UnicodeScalarView(before)).contains(name)
    }

    private func remotePathProblems(_ argument: Argument?) -> [ScriptProblem] {
        guard let argument, argument.isLiteral || !argument.literalPrefix.isEmpty || argument.text.hasPrefix("~"),
            !argument.literalPrefix.hasPrefix("/")
        else { return [] }
        return [
            problem(
                .error, .relativePath, argument.position,
                "\(argument.text.quoted) is not an absolute path; begin it with '/'")
        ]
    }

    private func runProblems(_ statement: Statement) -> [ScriptProblem] {
        var problems = arityProblems(statement, statement.arguments, 1...Int.max, "RUN COMMAND [ARGUMENT…]")
        for redirection in statement.redirections where redirection.writesFile {
            problems.append(
                problem(
                    .warning, .localRedirection, redirection.position,
                    "this writes \(redirection.target.text.quoted) on this machine; for a file in the VM, quote the "
                        + "whole line: RUN 'COMMAND > FILE'"))
        }
        let operators: Set<String> = [">", ">>", "<", "|", "||", "&&", "&", ";"]
        // They take such words as their own operators, or end a command with them.
        let takers: Set<String> = ["test", "[", "expr", "find", "fd", "xargs", "awk", "sed", "grep", "tr"]
        let isTaken = statement.arguments.contains { argument in
            takers.contains(argument.literal?.split(separator: "/").last.map(String.init) ?? "")
        }
        if statement.arguments.count > 1, !isTaken {
            for (before, argument) in zip(statement.arguments, statement.arguments.dropFirst()) {
                guard let word = argument.literal, operators.contains(word) else { continue }
                // The value of an option, as of `cut -d ';'`.
                if before.literalPrefix.hasPrefix("-") || !before.isLiteral { continue }
                problems.append(
                    problem(
                        .warning, .quotedOperator, argument.position,
                        "\(word.quoted) reaches the command as a plain word; for a shell line, quote it as one word"))
            }
        }
        return problems
    }

    // MARK: Variables

    private func variableProblems(componentVariables: Set<String>?) -> [ScriptProblem] {
        // Whatever these read can set any variable.
        if !commands.isDisjoint(with: ["eval", "source", "."]) { return [] }
        return variables.compactMap { use in
            if use.isGuarded || assigned.contains(use.name) || Self.standardVariables.contains(use.name) { return nil }
            if use.name.hasPrefix("PROVISION_") {
                return problem(
                    .error, .unknownVariable, use.position,
                    "nothing sets $\(use.name); write ${\(use.name):-} if it may be empty")
            }
            if use.name.hasPrefix("COMPONENT_"), let componentVariables, !componentVariables.contains(use.name) {
                return problem(
                    .warning, .unknownVariable, use.position,
                    "no override and no secret of the environment sets $\(use.name)")
            }
            return nil
        }
    }
}

extension ProvisionScript.Redirection {
    /// Whether the redirection writes a file of this machine.
    fileprivate var writesFile: Bool {
        guard symbol.contains(">") else { return false }
        if symbol.hasSuffix(">&") {
            // A descriptor, also one that is moved (`2>&1-`) or that a variable holds.
            let number =
                target.literalPrefix.hasSuffix("-") ? target.literalPrefix.dropLast() : target.literalPrefix[...]
            if number.utf8.allSatisfy(Ascii.isDigit) { return false }
        }
        if target.literalPrefix.hasPrefix("/dev/fd/") { return false }
        return target.literal.map { !["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"].contains($0) } ?? true
    }
}
