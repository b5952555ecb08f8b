import DevhostCommandLine
import DevhostCore

/// `collect`: looks for signs of use.
struct CollectCommand: ProgramCommand {
    static let usage = CommandUsage(
        "collect", summary: "look which VMs are used, and keep what was seen",
        discussion: """
            Signs of use are an ensure, a login, a session over ssh, a request for a published name that was answered,
            and load. They are read from traces that stay, so a short visit between two looks counts too. A timer runs
            this every hour. Where another look is going on, this one says so and leaves.

            Afterwards it makes the templates that devhost.cfg asks for ([warm-start] shapes) and that are missing, one
            at a time, and removes those that cannot be used any more.
            """)

    init(_ arguments: Arguments) throws(DevhostError) {}

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let report = try await context.devhost().collectSigns(progress: context.progress.handler)
        guard let report else {
            context.progress.notice("another look is going on")
            return .success
        }
        context.progress.notice("looked at \(report.looked) VMs")
        for (name, problem) in report.problems.sorted(by: { $0.key < $1.key }) {
            context.progress.warning("\(name) is kept: \(problem)")
        }
        for failure in report.failures { context.progress.warning(failure) }
        for template in try await context.devhost().buildWantedTemplates(progress: context.progress.handler) {
            context.progress.notice("template \(template.name) is made")
        }
        guard report.failures.isEmpty else {
            throw DevhostError(.failed, "not every VM could be looked at")
        }
        return .success
    }
}
