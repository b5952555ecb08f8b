import DevhostCommandLine
import DevhostCore

/// `channels`: the channels of the catalog.
struct ChannelsCommand: ProgramCommand {
    static let usage = CommandUsage(
        "channels", summary: "list the channels of the catalog of releases",
        discussion:
            "Prints one name a line. A catalog behind HTTP lists what its server offers, or says that it does not.")

    init(_ arguments: Arguments) throws(DevhostError) {}

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let channels = try await context.devhost().catalog.channels()
        try context.output.write(channels.map { "\($0)\n" }.joined())
        return .success
    }
}
