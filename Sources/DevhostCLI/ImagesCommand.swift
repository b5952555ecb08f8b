import DevhostCommandLine
import DevhostCore

/// `images`: the base images of the devhost.
struct ImagesCommand: ProgramCommand {
    static let json = Option.flag("json", "Everything that is known of them as JSON, the digests in full.")

    static let usage = CommandUsage(
        "images", summary: "list the base images, with the VMs that use them",
        discussion: "The one used last comes first. A VM uses the image that its disk lies over.", options: [json],
        examples: [.init("images --json", "All about the images, for programs.")])

    let format: ListFormat

    init(_ arguments: Arguments) throws(DevhostError) { format = arguments.has(Self.json) ? .json : .table }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        try context.output.list(try await context.devhost().images(), as: format)
        return .success
    }
}
