import DevhostCommandLine
import DevhostCore

/// `logs NAME`: the console of a VM.
struct LogsCommand: ProgramCommand {
    static let follow = Option.flag("follow", short: "f", "Go on with what the console writes from now on.")
    static let lines = Option.value("lines", "N", short: "n", "Only the last lines of what there is.")

    static let usage = CommandUsage(
        "logs", summary: "show the console of a VM",
        discussion: """
            Of a VM whose creation failed, the console and the reason are kept until it is created or destroyed again.
            """,
        options: [follow, lines], operands: [.vm],
        examples: [.init("logs -f demo", "Watch a VM boot.")])

    let name: VMName
    let follows: Bool
    let count: Int?

    init(_ arguments: Arguments) throws(DevhostError) {
        name = try arguments.value(.vm, as: VMName.self)
        follows = arguments.has(Self.follow)
        count = try arguments.value(Self.lines) { text throws(DevhostError) in
            guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let count = Int(text),
                count <= Self.mostLines
            else {
                throw DevhostError(
                    .invalidArgument, "\(text.quoted) is not a number of lines",
                    next: "write a whole number from 0 to \(Self.mostLines)")
            }
            return count
        }
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        let log = try devhost.consoleLog(name)
        try context.output.write(count.map { Self.tail(log.text, lines: $0) } ?? log.text)
        if log.isOfFailure {
            context.progress.notice("there is no VM \(name): this is what its creation left when it failed")
        } else if follows {
            let isThere = try await follow(devhost, from: log.end, context.output)
            if !isThere { context.progress.notice("the VM \(name) is gone") }
        }
        return .success
    }

    /// Follows until nobody reads any more, or the VM is gone.
    /// - Returns: Whether the VM is still there.
    private func follow(_ devhost: Devhost, from end: UInt64, _ output: ResultOutput) async throws -> Bool {
        var failure: (any Error)?
        let isThere = try await devhost.followConsole(name, from: end) { part in
            do {
                try output.write(part)
                return output.hasReader
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        return isThere
    }

    /// More lines than any console holds.
    private static let mostLines = 1_000_000_000

    static func tail(_ text: String, lines count: Int) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let isEnded = lines.last?.isEmpty == true
        return lines.suffix(isEnded ? count + 1 : count).joined(separator: "\n")
    }
}
