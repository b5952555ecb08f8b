import DevhostCommandLine
import DevhostCore

/// `snapshot NAME [LABEL]`: makes a snapshot of a VM.
struct SnapshotCommand: ProgramCommand {
    static let label = Operand("LABEL", isOptional: true)
    static let json = Option.flag("json", "Print everything about the snapshot as JSON.")

    static let usage = CommandUsage(
        "snapshot", summary: "make a snapshot of a VM",
        discussion: """
            Keeps the disk as it is, and the memory of a VM that runs, so that restore lets it go on from there. It
            stands still while its memory is written, and needs as much room as it has memory. Without a LABEL the
            moment is the label.

            Snapshots lie within the VM's disk: destroy takes them along, and rebuild wants them removed first.
            """,
        options: [json], operands: [.vm, label],
        examples: [.init("snapshot demo before-upgrade", "Keep demo as it is now.")])

    let name: VMName
    let label: SnapshotLabel?
    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        name = try arguments.value(.vm, as: VMName.self)
        label =
            arguments.texts(Self.label).isEmpty ? nil : try arguments.value(Self.label, as: SnapshotLabel.self)
        isJSON = arguments.has(Self.json)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let snapshot = try await context.devhost().snapshot(name, label: label, progress: context.progress.handler)
        if isJSON {
            try context.output.json(snapshot)
        } else {
            try context.output.line("\(name)@\(snapshot.label) is made")
        }
        return .success
    }
}
