import DevhostBase
import FoundationEssentials

/// `devhost-provision check SCRIPT…`: what is wrong with scripts, without touching a VM.
enum CheckCommand {
    static func run(_ arguments: [String]) async throws -> Int32 {
        let arguments = try Arguments(arguments, flags: ["--json"])
        guard !arguments.words.isEmpty else {
            throw DevhostError(.invalidArgument, "no script is named", next: "write check [--json] SCRIPT…")
        }
        var problems: [ScriptProblem] = []
        for path in arguments.words {
            let folder = Files.directory(of: path)
            let script = ProvisionScript(try Files.readText(path), source: path)
            problems += try await script.check(
                folder: folder)
        }
        if arguments.has("--json") {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(problems), as: UTF8.self))
        } else {
            for problem in problems { print(problem.description) }
        }
        return problems.contains { $0.severity == .error } ? 1 : 0
    }
}
