import DevhostBase

/// A command of a program. Each stands in a file of its own: options, then `init` (checks, touches nothing), then `run`.
package protocol ProgramCommand: Sendable {
    /// Its row in the table of commands.
    static var usage: CommandUsage { get }

    /// Parses what was given. It reads nothing but the arguments.
    /// - Throws: `invalidArgument`.
    init(_ arguments: Arguments) throws(DevhostError)

    /// Does it.
    /// - Returns: The exit status: success, or that of a program that ran in a VM.
    func run(_ context: CommandContext) async throws -> ExitStatus
}
