import DevhostCommandLine
import DevhostCore

/// `snapshot rm NAME@LABEL...`: removes snapshots.
struct SnapshotRemoveCommand: ProgramCommand {
    static let usage = CommandUsage(
        "snapshot rm", summary: "remove snapshots",
        discussion: "The VM stays as it is. A snapshot that does not exist is a notice, not an error.",
        operands: [.snapshots])

    let references: [SnapshotReference]

    init(_ arguments: Arguments) throws(DevhostError) {
        references = try arguments.values(.snapshots, as: SnapshotReference.self)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        _ = try await forEach(references) { reference in
            if try await devhost.removeSnapshot(reference, progress: context.progress.handler) {
                try context.output.line("\(reference) is removed")
            } else {
                context.progress.notice("there is no snapshot \(reference)")
            }
        }
        return .success
    }
}
