import DevhostCommandLine
import DevhostCore

/// `publish`: sees to it that what the records say is published and served.
struct PublishCommand: ProgramCommand {
    static let json = Option.flag("json", "Print what is published as JSON.")

    static let usage = CommandUsage(
        "publish", summary: "see to it that every alias of every VM is published and served",
        discussion: """
            ensure and destroy publish and withdraw by themselves. This command is for afterwards: when Caddy was down or
            refused its configuration, when devhost.cfg changed, or when records came from elsewhere. It publishes what
            the records say, withdraws everything else, and starts Caddy where it does not run.
            """,
        options: [json], examples: [.init("publish", "Let a change of [publish] in devhost.cfg take effect.")])

    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) { isJSON = arguments.has(Self.json) }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let report = try await context.devhost().publish(progress: context.progress.handler)
        if isJSON {
            try context.output.json(report)
        } else {
            try context.output.line(
                "\(report.names.count) names are published, \(report.added) of them anew; \(report.withdrawn) were withdrawn"
            )
        }
        return .success
    }
}
