import DevhostCommandLine
import DevhostCore

/// `restore NAME@LABEL`: brings a VM back to a snapshot.
struct RestoreCommand: ProgramCommand {
    static let force = Option.flag("force", "Also where the VM runs: what it has done since the snapshot is lost.")
    static let json = EnsureCommand.json

    static let usage = CommandUsage(
        "restore", summary: "bring a VM back to a snapshot",
        discussion: """
            Disk, memory, CPUs and disk size are again what they were. A VM that ran goes on where it was, with its
            clock put right; one that was off is off. What came after the snapshot is gone; the snapshot stays.

            A VM that runs is not given up without --force.
            """,
        options: [force, json], operands: [.snapshot],
        examples: [.init("restore demo@before-upgrade", "Have demo as it was.")])

    let reference: SnapshotReference
    let isForced: Bool
    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        reference = try arguments.value(.snapshot, as: SnapshotReference.self)
        isForced = arguments.has(Self.force)
        isJSON = arguments.has(Self.json)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let description = try await context.devhost().restore(
            reference, isForced: isForced, progress: context.progress.handler)
        if isJSON {
            try context.output.json(description)
        } else {
            try context.output.line(description.sentence)
        }
        return .success
    }
}
