import DevhostCommandLine
import DevhostCore

/// `cleanup`: refused, because this version never takes a VM away on its own.
struct CleanupCommand: ProgramCommand {
    static let usage = CommandUsage(
        "cleanup", summary: "take away what is not used any more",
        discussion: "This version takes nothing away on its own, and says so.")

    init(_ arguments: Arguments) throws(DevhostError) {}

    func run(_ context: CommandContext) async throws -> ExitStatus {
        throw DevhostError(
            .unsupported, "this version takes no VM away on its own", next: "use 'fc-devhost destroy NAME'")
    }
}
