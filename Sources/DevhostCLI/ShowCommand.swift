import DevhostCommandLine
import DevhostCore

/// `show NAME`: everything about one VM.
struct ShowCommand: ProgramCommand {
    static let json = Option.flag("json", "Print it as JSON: the keys of the record, state and disk_allocation.")

    static let usage = CommandUsage(
        "show", summary: "show everything about a VM", options: [json], operands: [.vm],
        examples: [.init("show --json demo", "Everything about a VM, for programs.")])

    let name: VMName
    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        name = try arguments.value(.vm, as: VMName.self)
        isJSON = arguments.has(Self.json)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        let description = try await devhost.describe(name)
        if isJSON {
            try context.output.json(description)
        } else {
            try context.output.write(description.text(devhost.configuration.publish))
        }
        return .success
    }
}
