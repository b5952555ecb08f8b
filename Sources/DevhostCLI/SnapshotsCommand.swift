import DevhostCommandLine
import DevhostCore

/// `snapshots NAME`: the snapshots of a VM.
struct SnapshotsCommand: ProgramCommand {
    static let json = Option.flag("json", "Everything that is known of them as JSON.")

    static let usage = CommandUsage(
        "snapshots", summary: "list the snapshots of a VM", discussion: "The oldest comes first.", options: [json],
        operands: [.vm])

    let name: VMName
    let format: ListFormat

    init(_ arguments: Arguments) throws(DevhostError) {
        name = try arguments.value(.vm, as: VMName.self)
        format = arguments.has(Self.json) ? .json : .table
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        try context.output.list(try await context.devhost().snapshots(name), as: format)
        return .success
    }
}

extension VMSnapshot: TableRow {
    package static var columns: [TextTable.Column] {
        [
            TextTable.Column("SNAPSHOT"), TextTable.Column("CREATED"), TextTable.Column("USER"),
            TextTable.Column("STATE"), TextTable.Column("MEMORY", isRightAligned: true),
            TextTable.Column("DISK", isRightAligned: true),
        ]
    }

    package var rowName: String { "\(vm)@\(label)" }

    package var cells: [String?] {
        [
            rowName, created.description, user, isRunning ? "running" : "off",
            memory.map { ByteText.size(UInt64($0.mebibytes) << 20) }, diskSize.map { ByteText.size($0.bytes) },
        ]
    }
}
