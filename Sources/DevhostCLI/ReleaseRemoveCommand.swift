import DevhostCommandLine
import DevhostCore

/// `release rm CHANNEL RELEASE...`: removes releases from the local catalog.
struct ReleaseRemoveCommand: ProgramCommand {
    static let force = Option.flag("force", "Also releases that VMs were made from.")
    static let releases = Operand("RELEASE", isRepeatable: true)

    static let usage = CommandUsage(
        "release rm", summary: "remove releases from the local catalog",
        discussion: """
            Where the latest release of the channel goes, the last one by name is the latest then; with its last release
            the channel goes. A release that does not exist is a notice, not an error.

            VMs that were made from a release keep their image, which stays stored as long as one of them uses it. But
            an ensure or a rebuild that names a release that is gone fails, so releases of VMs need --force.

            Who may remove releases from a channel says [releases] publish in devhost.cfg; what one has published
            oneself one can always remove.
            """,
        options: [force], operands: [.channel, releases],
        examples: [.init("release rm team 2024_1", "Take a release back.")])

    let channel: ChannelName
    let releases: [ReleaseName]
    let isForced: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        channel = try arguments.value(.channel, as: ChannelName.self)
        releases = try arguments.values(Self.releases, as: ReleaseName.self)
        isForced = arguments.has(Self.force)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let removed = try await context.devhost().remove(releases: releases, from: channel, force: isForced)
        for release in releases where !removed.contains(release) {
            context.progress.notice("there is no release \(release) in the channel \(channel)")
        }
        for release in removed { try context.output.line("fcrs://\(channel)/\(release) is removed") }
        return .success
    }
}
