import DevhostCommandLine
import DevhostCore

/// `why NAME`: which sign of the use of a VM was seen when, and what becomes of it.
struct WhyCommand: ProgramCommand {
    static let json = Option.flag("json", "Print it as JSON.")

    static let usage = CommandUsage(
        "why", summary: "tell when a VM was last used, by which sign, and what becomes of it",
        options: [json], operands: [.vm], examples: [.init("why demo", "Why is demo kept, or why was it suspended?")])

    let name: VMName
    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        name = try arguments.value(.vm, as: VMName.self)
        isJSON = arguments.has(Self.json)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let use = try await context.devhost().use(of: name)
        if isJSON { try context.output.json(use) } else { try context.output.write(use.text) }
        return .success
    }
}
