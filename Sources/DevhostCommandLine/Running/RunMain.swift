import DevhostBase
import Dispatch

/// Runs a program with the arguments and the standard files of this process, and ends the process.
///
/// Writing to a reader that has gone is an error of the write, never a signal. Other signals keep their meaning. It is
/// synchronous because the runtime of an asynchronous main opens files of its own, which would take the numbers of
/// standard files that the caller closed.
package func runMain(_ program: Program) -> Never {
    StandardFiles.prepare()
    Task {
        let status = await program.run(
            Array(CommandLine.arguments.dropFirst()), caller: StandardFiles.caller(),
            output: FileSink(.output), errors: FileSink(.errors))
        StandardFiles.exit(status.number)
    }
    while true { DispatchSemaphore(value: 0).wait() }
}
