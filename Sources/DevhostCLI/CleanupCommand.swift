import DevhostCommandLine
import DevhostCore

/// `cleanup`: removes what the devhost keeps for nobody.
struct CleanupCommand: ProgramCommand {
    static let usage = CommandUsage(
        "cleanup", summary: "remove base images that were not used for a while",
        discussion: """
            Removes what no VM uses and no VM has used for the days that devhost.cfg sets ([images] keep-days, 90), and
            more where a budget is set and passed. VMs are never touched: how long ago one was deployed does not tell
            whether somebody works in it. Keys of logins that were killed go too. 'make install' lets it run every week, by a systemd timer or by cron.
            """)

    init(_ arguments: Arguments) throws(DevhostError) {}

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        devhost.forgetLogins()
        let settings = devhost.configuration
        let report = try await devhost.pruneImages(
            olderThanDays: settings.imageKeepDays, budget: settings.imageBudget)
        try ImagesPruneCommand.tell(report, context)
        return .success
    }
}
