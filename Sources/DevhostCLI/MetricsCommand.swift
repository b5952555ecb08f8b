import DevhostCommandLine
import DevhostCore

/// `metrics`: the devhost in numbers.
struct MetricsCommand: ProgramCommand {
    static let usage = CommandUsage(
        "metrics", summary: "print the devhost in numbers, for Prometheus",
        discussion: """
            VMs by state and owner, memory and disk given and used, when each VM was last ensured and used, and verbs with
            their results and durations, counted from the audit log as it is: they start again at zero when it is rotated.
            node_exporter reads the text from a file in the folder of its textfile collector.
            """,
        examples: [
            .init("metrics >devhost.prom.new && mv devhost.prom.new devhost.prom", "Hand them on, never half of them.")
        ])

    init(_ arguments: Arguments) throws(DevhostError) {}

    func run(_ context: CommandContext) async throws -> ExitStatus {
        try context.output.write(try await context.devhost().metrics())
        return .success
    }
}
