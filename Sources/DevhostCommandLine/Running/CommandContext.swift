import DevhostBase

/// What a command runs with: what was given, who called, and where output goes.
package struct CommandContext: Sendable {
    /// The program.
    package let program: Program
    /// What was given, options of the program included.
    package let arguments: Arguments
    /// Who called.
    package let caller: Caller
    /// Where results go.
    package let output: ResultOutput
    /// Where everything else goes.
    package let progress: TerminalProgress
}
