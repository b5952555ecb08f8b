import DevhostCommandLine
import DevhostCore

/// `images prune`: removes base images that nobody uses.
struct ImagesPruneCommand: ProgramCommand {
    static let olderThan = Option.value(
        "older-than", "DAYS", "How many days an image may be unused, 90 unless told otherwise. 0 removes all unused.")
    static let budget = Option.value(
        "budget", "SIZE",
        "What all images together may occupy, for instance 100G: the least recently used go until they do.")
    static let json = Option.flag("json", "Print what was removed as JSON.")

    /// The numbers of days that can be asked for.
    static let range = 0...36500

    static let usage = CommandUsage(
        "images prune", summary: "remove base images that no VM uses",
        discussion: """
            An image that a VM uses, or that is being downloaded, stays whatever is asked for. What was removed is
            downloaded again when somebody needs it.
            """,
        options: [olderThan, budget, json],
        examples: [.init("images prune --older-than 30 --budget 200G", "Make room.")])

    let days: Int
    let bytes: UInt64?
    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        days =
            try arguments.value(Self.olderThan) { text throws(DevhostError) in
                guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                    let days = Int(text), Self.range.contains(days)
                else {
                    throw DevhostError(
                        .invalidArgument, "\(text.quoted) is not a number of days",
                        next: "write a whole number from \(Self.range.lowerBound) to \(Self.range.upperBound)")
                }
                return days
            } ?? 90
        bytes = try arguments.value(Self.budget, as: DiskSize.self)?.bytes
        isJSON = arguments.has(Self.json)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let report = try await context.devhost().pruneImages(olderThanDays: days, budget: bytes)
        if isJSON { try context.output.json(report) }
        try Self.tell(report, context, isListed: !isJSON)
        return .success
    }

    /// Says what was removed and what could not be.
    static func tell(
        _ report: ImagePruneReport, _ context: CommandContext, isListed: Bool = true, verb: String = "removed"
    ) throws {
        for image in report.removed where isListed {
            try context.output.line("\(verb) \(image.sha256) (\(ByteText.size(image.size)))")
        }
        if report.removed.isEmpty { context.progress.notice("there is no image to remove") }
        guard report.failures.isEmpty else {
            for failure in report.failures { context.progress.warning(failure) }
            throw DevhostError(.failed, "not all images could be removed")
        }
    }
}
