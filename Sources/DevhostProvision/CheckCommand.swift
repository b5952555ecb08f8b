import DevhostBase
import DevhostCommandLine
import FoundationEssentials

/// `check SCRIPT…`: what is wrong with scripts, without touching a VM.
struct CheckCommand: ProgramCommand {
    static let json = Option.flag("json", "Print the problems as JSON, for editors.")
    static let script = Operand("SCRIPT", .file, isRepeatable: true)

    static let usage = CommandUsage(
        "check", summary: "find what is wrong with provision scripts, without touching a VM",
        discussion: """
            Finds syntax errors, wrong numbers of words, relative remote paths, local files that are missing,
            redirections that happen on this machine, and variables that nothing sets. The status is 1 if there is an
            error among the problems; warnings alone leave it at 0.
            """,
        options: [json], operands: [script],
        examples: [.init("check environments/*/provision.sh", "Check the scripts of all environments.")])

    let isJSON: Bool
    let scripts: [String]

    init(_ arguments: Arguments) throws(DevhostError) {
        isJSON = arguments.has(Self.json)
        scripts = arguments.texts(Self.script)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        var problems: [ScriptProblem] = []
        for path in scripts {
            let folder = Files.directory(of: path)
            problems += try await ProvisionScript(try Files.readText(path), source: path).check(
                folder: folder,
                componentVariables: await ScriptVariables.known(
                    in: Executable.absoluteFolder(folder), environment: ProcessInfo.processInfo.environment))
        }
        if isJSON {
            try context.output.json(problems)
        } else {
            for problem in problems { try context.output.line(problem.description) }
        }
        return problems.contains { $0.severity == .error } ? .failure : .success
    }
}
