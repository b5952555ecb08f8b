import DevhostBase

/// Runs a program with the arguments and the standard files of this process, and ends the process.
///
/// Writing to a reader that has gone is an error of the write, never a signal. Other signals keep their meaning.
package func runMain(_ program: Program) async -> Never {
    StandardFiles.prepare()
    let status = await program.run(
        Array(CommandLine.arguments.dropFirst()), caller: StandardFiles.caller(),
        output: FileSink(.output), errors: FileSink(.errors))
    StandardFiles.exit(status.number)
}
