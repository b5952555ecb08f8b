import DevhostCommandLine
import DevhostCore

/// `channel rm CHANNEL`: removes a channel from the local catalog.
struct ChannelRemoveCommand: ProgramCommand {
    static let force = Option.flag("force", "Also where VMs were made from its releases.")

    static let usage = CommandUsage(
        "channel rm", summary: "remove a channel from the local catalog",
        discussion: """
            All its releases go, as with release rm. A channel that does not exist is a notice, not an error.
            """,
        options: [force], operands: [.channel])

    let channel: ChannelName
    let isForced: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        channel = try arguments.value(.channel, as: ChannelName.self)
        isForced = arguments.has(Self.force)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let removed = try await context.devhost().remove(channel: channel, force: isForced)
        if removed.isEmpty {
            context.progress.notice("there is no channel \(channel)")
        } else {
            try context.output.line("the channel \(channel) is removed with \(removed.count) releases")
        }
        return .success
    }
}
