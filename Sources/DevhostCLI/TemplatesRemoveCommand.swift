import DevhostCommandLine
import DevhostCore

/// `templates rm TEMPLATE...`: removes templates.
struct TemplatesRemoveCommand: ProgramCommand {
    static let templates = Operand("TEMPLATE", isRepeatable: true)

    static let usage = CommandUsage(
        "templates rm", summary: "remove templates",
        discussion: """
            VMs that started from them are VMs like any other and stay. A template that does not exist is a notice, not
            an error.
            """, operands: [templates])

    let names: [TemplateName]

    init(_ arguments: Arguments) throws(DevhostError) {
        names = try arguments.values(Self.templates, as: TemplateName.self)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        _ = try await forEach(names) { name in
            if try await devhost.removeTemplate(name) {
                try context.output.line("template \(name) is removed")
            } else {
                context.progress.notice("there is no template \(name)")
            }
        }
        return .success
    }
}
