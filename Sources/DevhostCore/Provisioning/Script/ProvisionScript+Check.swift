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
        for statement in statements { problems += self.problems(of: statement, folder: folder) }
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
        if plain.isEmpty { return [] }
        let extended = try await syntaxProblems(["-O", "extglob"])
        return extended.isEmpty || text.contains("extglob") ? extended : plain
    }

    /// It gives lines, no columns.
    private func syntaxProblems(_ options: [String]) async throws -> [ScriptProblem] {
        var command = Command("bash", ["--norc", "--noprofile"] + options + ["-n"])
        command.input = Array(text.utf8)
        let result = try await Processes.run(command)
        if result.status == 0 { return [] }
        var problems: [ScriptProblem] = []
        for line in result.errorText.split(separator: "\n") {
            // `bash: line 3: syntax error near …`; the line that follows quotes the script.
            guard let start = line.firstRange(of: ": line ")?.upperBound, let end = line[start...].firstIndex(of: ":"),
                let number = Int(line[start..<end])
            else { continue }
            let message = String(line[line.index(after: end)...]).trimmed
            if message.hasPrefix("`") { continue }
            problems.append(
                problem(.error, .syntax, Position(line: number, column: 1), "bash: \(message.printable)"))
        }
        if problems.isEmpty {
            problems = [problem(.error, .syntax, Position(line: 1, column: 1), "bash cannot read the script")]
        }
        return problems
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
        problems += arityProblems(statement, paths, 2...2, "COPY [--chown=…] [--chmod=…] LOCAL REMOTE")
        guard paths.count == 2 else { return problems }
        problems += remotePathProblems(paths[1])
        guard let folder, let local = paths[0].literal, !local.isEmpty else { return problems }
        guard LocalSource.paths(local, in: [folder]).isEmpty else { return problems }
        let moves = !commands.isDisjoint(with: ["cd", "pushd"])
        problems.append(
            problem(
                moves ? .warning : .error, .missingFile, paths[0].position,
                "\(local.quoted) is not in \(folder.quoted)"
                    + (moves ? ", unless the script's cd makes it another folder" : "")))
        return problems
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
        if statement.arguments.count > 1 {
            for argument in statement.arguments {
                guard let word = argument.literal, operators.contains(word) else { continue }
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
        variables.compactMap { use in
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
        if symbol.hasSuffix(">&"), target.text == "-" || target.text.utf8.allSatisfy(Ascii.isDigit) { return false }
        return !["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"].contains(target.text)
    }
}
