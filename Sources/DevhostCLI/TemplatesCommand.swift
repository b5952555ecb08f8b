import DevhostCommandLine
import DevhostCore

/// `templates`: what new VMs start from instead of booting.
struct TemplatesCommand: ProgramCommand {
    static let json = Option.flag("json", "Everything that is known of them as JSON, the digests in full.")

    static let usage = CommandUsage(
        "templates", summary: "list the templates that new VMs start from",
        discussion: """
            A template is a booted system without an identity, for one image, number of CPUs and size of memory. A new
            VM of that kind goes on from there in a fraction of the time that its boot takes. The one used last comes
            first.
            """,
        options: [json], examples: [.init("templates --json", "All about the templates, for programs.")])

    let format: ListFormat

    init(_ arguments: Arguments) throws(DevhostError) { format = arguments.has(Self.json) ? .json : .table }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        try context.output.list(try await context.devhost().templates(), as: format)
        return .success
    }
}

extension Template: TableRow {
    package static var columns: [TextTable.Column] {
        [
            TextTable.Column("TEMPLATE"), TextTable.Column("IMAGE"), TextTable.Column("CPUS", isRightAligned: true),
            TextTable.Column("MEMORY", isRightAligned: true), TextTable.Column("SIZE", isRightAligned: true),
            TextTable.Column("CREATED"), TextTable.Column("USES", isRightAligned: true), TextTable.Column("LAST USE"),
            TextTable.Column("PROBLEM"),
        ]
    }

    package var rowName: String { name }

    package var cells: [String?] {
        [
            name, String(image.description.prefix(12)), cpus.description, memory.description, ByteText.size(size),
            created.description, "\(uses)", lastUse?.description, problem,
        ]
    }
}
