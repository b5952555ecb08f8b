import DevhostCommandLine
import DevhostCore

/// `releases CHANNEL`: the releases of a channel.
struct ReleasesCommand: ProgramCommand {
    static let json = Option.flag("json", "Print them as JSON, with all that the catalog says of each.")

    static let usage = CommandUsage(
        "releases", summary: "list the releases of a channel",
        discussion: """
            In their order, as people count. Of a catalog behind HTTP, names are all there is: see release show. A
            release whose metadata cannot be read is listed too, with the reason as a warning.
            """,
        options: [json], operands: [.channel],
        examples: [.init("releases fc-23.11-production", "What can be pinned.")])

    let channel: ChannelName
    let format: ListFormat

    init(_ arguments: Arguments) throws(DevhostError) {
        channel = try arguments.value(.channel, as: ChannelName.self)
        format = arguments.has(Self.json) ? .json : .table
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let releases = try await context.devhost().catalog.releases(of: channel)
        for release in releases {
            if let problem = release.problem { context.progress.warning("\(release.name): \(problem)") }
        }
        try context.output.list(releases, as: format)
        return .success
    }
}
