import DevhostCommandLine
import DevhostCore

/// `rebuild NAME`: gives a VM a fresh disk.
struct RebuildCommand: ProgramCommand {
    static let imageURL = Option.value("image-url", "URL", "The image that the new disk starts from.")
    static let channelURL = Option.value(
        "channel-url", "URL", "The channel its platform follows; with --image-url. Without it the channel stays.")
    static let hydraEval = EnsureCommand.hydraEval
    static let release = EnsureCommand.release
    static let timeout = EnsureCommand.timeout
    static let json = EnsureCommand.json

    static let usage = CommandUsage(
        "rebuild", summary: "give a VM a fresh disk and keep all else",
        discussion: """
            What is on its disk is gone; a VM that has snapshots, which lie there, is left alone. Name, addresses, owner, aliases and ssh host key stay. Without an option the
            new disk starts from the very image that the VM was made from.

            The VM runs on until the image is there. The old disk is kept until ssh of the new one answers, and comes
            back if it does not. After an interruption ensure goes on: with the old disk, or with the new one if it had
            answered.
            """,
        options: [imageURL, channelURL, hydraEval, release, timeout, json],
        operands: [.vm],
        examples: [
            .init("rebuild demo", "The same VM again, as it was when it was new."),
            .init("rebuild --release fcrs://fc-23.11-production/ demo", "Move it to the latest release of a channel."),
        ])

    let name: VMName
    let reference: ReleaseReference?
    let limit: Duration?
    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        name = try arguments.value(.vm, as: VMName.self)
        reference = try EnsureCommand.release(arguments)
        limit = try arguments.value(Self.timeout, as: TimeLimit.self)?.duration
        isJSON = arguments.has(Self.json)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let description = try await context.devhost().rebuild(
            name, release: reference, startLimit: limit, progress: context.progress.handler)
        if isJSON {
            try context.output.json(description)
        } else {
            try context.output.line(description.sentence)
        }
        return .success
    }
}
