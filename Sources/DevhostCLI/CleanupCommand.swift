import DevhostCommandLine
import DevhostCore

/// `cleanup`: removes what the devhost keeps for nobody.
struct CleanupCommand: ProgramCommand {
    static let vms = Option.flag("vms", "Only VMs.")
    static let images = Option.flag("images", "Only base images.")
    static let shutdownDays = Option.value(
        "shutdown-days", "DAYS",
        "Suspend VMs unused for so long, whatever devhost.cfg says. Not through sudo.")
    static let deleteDays = Option.value(
        "delete-days", "DAYS",
        "Put VMs unused for so long into the trash, whatever devhost.cfg says. Not through sudo.")
    static let dryRun = Option.flag("dry-run", "Tell what would be done, and do nothing.")

    static let usage = CommandUsage(
        "cleanup", summary: "clean up what nobody uses: VMs and base images",
        discussion: """
            Looks for signs of use, as collect does. A VM that nobody uses is suspended, then its owner is told, then it
            goes into the trash, and after some days there it is destroyed; devhost.cfg says when ([cleanup]). A VM whose
            signs cannot be read is kept, and so is one that is pinned. Base images go that no VM uses and no VM has used
            for a while ([images] keep-days), and more where a budget is set and passed. Keys of logins that were killed
            go too.

            Timers run 'cleanup --vms' every day and 'cleanup --images' every week. Where another clean-up is at work,
            this one says so and leaves.
            """,
        options: [vms, images, shutdownDays, deleteDays, dryRun],
        examples: [.init("cleanup --dry-run", "What is due?")])

    let cleansVMs: Bool
    let cleansImages: Bool
    let isDryRun: Bool
    let shutdownAfter: Int?
    let deleteAfter: Int?

    init(_ arguments: Arguments) throws(DevhostError) {
        shutdownAfter = try Self.days(arguments, Self.shutdownDays)
        deleteAfter = try Self.days(arguments, Self.deleteDays)
        cleansVMs = arguments.has(Self.vms) || !arguments.has(Self.images)
        cleansImages = arguments.has(Self.images) || !arguments.has(Self.vms)
        isDryRun = arguments.has(Self.dryRun)
    }

    private static func days(_ arguments: Arguments, _ option: Option) throws(DevhostError) -> Int? {
        guard let text = arguments.text(option) else { return nil }
        guard let days = Int(text), (1...36500).contains(days) else {
            throw DevhostError(
                .invalidArgument, "--\(option.long): \(text.quoted) is not a number of days", next: "write 1 to 36500")
        }
        return days
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        // Whoever may clean up by the administrator's rules may not take others' VMs away by rules of their own.
        if context.caller.isElevated, shutdownAfter != nil || deleteAfter != nil {
            throw DevhostError(
                .permissionDenied, "--shutdown-days and --delete-days are not allowed through sudo",
                next: "ask the administrator to change [cleanup] in \(Layout.configurationFile)")
        }
        let devhost = try context.devhost { configuration in
            if let shutdownAfter { configuration.cleanup.shutdownAfter = shutdownAfter }
            if let deleteAfter {
                configuration.cleanup.deleteAfter = deleteAfter
                // Its owner is told before, on the same day if there is no other.
                configuration.cleanup.noticeDays = min(configuration.cleanup.noticeDays, deleteAfter - 1)
            }
        }
        if !isDryRun { devhost.forgetLogins() }
        var failures: [DevhostError] = []
        if cleansVMs {
            do {
                try await cleanVMs(devhost, context)
            } catch let error as DevhostError {
                failures.append(error)
            }
        }
        if cleansImages { try await cleanImages(devhost, context) }
        if let failure = failures.first { throw failure }
        return .success
    }

    private func cleanVMs(_ devhost: Devhost, _ context: CommandContext) async throws {
        let report =
            isDryRun
            ? try await devhost.planCleanUp() : try await devhost.cleanUp(progress: context.progress.handler)
        guard let report else { return context.progress.notice("another clean-up is at work") }
        for step in report.steps { try context.output.line(isDryRun ? step.intention : step.text) }
        if report.steps.isEmpty { context.progress.notice("there is no VM to clean up") }
        for (name, problem) in report.kept.sorted(by: { $0.key < $1.key }) {
            context.progress.warning("\(name) is kept: \(problem)")
        }
        guard report.failures.isEmpty else {
            for failure in report.failures { context.progress.warning(failure) }
            throw DevhostError(.failed, "not everything could be cleaned up")
        }
    }

    private func cleanImages(_ devhost: Devhost, _ context: CommandContext) async throws {
        let settings = devhost.configuration
        let report =
            isDryRun
            ? try await devhost.pruneImages(
                olderThanDays: settings.imageKeepDays, budget: settings.imageBudget, isDryRun: true)
            : try await devhost.cleanUpImages()
        guard let report else { return context.progress.notice("another clean-up is at work") }
        try ImagesPruneCommand.tell(report, context, verb: isDryRun ? "would remove" : "removed")
    }
}
