import DevhostCommandLine
import DevhostCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `release publish CHANNEL RELEASE IMAGE`: adds an image to the local catalog.
struct ReleasePublishCommand: ProgramCommand {
    static let channelURL = Option.value("channel-url", "URL", "The channel that VMs of this release follow.")
    static let release = Operand("RELEASE")
    static let image = Operand("IMAGE", .file)

    static let usage = CommandUsage(
        "release publish", summary: "add an image to the local catalog as a release",
        discussion: """
            The image, a qcow2 file, is looked at, copied into the catalog and pinned by its digest; the release becomes
            the latest one of its channel. A release never changes: the same image again is fine, another one is
            refused.

            Through sudo, the image must lie in one of the folders that [images] file-folders in devhost.cfg lists, like
            every image that is given as a file.
            """,
        options: [channelURL], operands: [.channel, release, image],
        examples: [
            .init(
                "release publish team 2024_1 /var/lib/devhost/_local-images/team.qcow2",
                "Make an image available as fcrs://team/2024_1 and fcrs://team/.")
        ])

    let channel: ChannelName
    let release: ReleaseName
    let image: String
    let channelURL: ResourceURL?

    init(_ arguments: Arguments) throws(DevhostError) {
        channel = try arguments.value(.channel, as: ChannelName.self)
        release = try arguments.value(Self.release, as: ReleaseName.self)
        guard let image = arguments.texts(Self.image).first, !image.isEmpty, !image.utf8.contains(0) else {
            throw DevhostError(.invalidArgument, "IMAGE is not the path of a file", next: "name a qcow2 file")
        }
        self.image = image
        channelURL = try arguments.value(Self.channelURL, as: ResourceURL.self)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let path = image.hasPrefix("/") ? image : "\(FileManager.default.currentDirectoryPath)/\(image)"
        context.progress.handler(.step("publishing \(channel)/\(release)"))
        try await context.devhost().publish(image: path, as: release, in: channel, channelURL: channelURL)
        try context.output.line("fcrs://\(channel)/\(release) is published")
        return .success
    }
}
