import DevhostBase
import Dispatch

/// Runs a program with the arguments and the standard files of this process, and ends the process.
///
/// Writing to a reader that has gone is an error of the write, never a signal. It is synchronous because the runtime of an
/// asynchronous main opens files of its own, which would take the numbers of standard files that the caller closed.
/// - Parameter isShielded: Whether the program works for others than its caller, who can then neither stop nor starve it
///   in the middle: not by signals of a terminal, limits, priorities or control groups (`ProcessShield`), nor by output
///   that nobody reads (``OutputQueue``). Other signals keep their meaning.
package func runMain(_ program: Program, isShielded: Bool = false) -> Never {
    StandardFiles.prepare()
    let caller = StandardFiles.caller()
    let sinks: (output: any TextSink, errors: any TextSink)
    if isShielded {
        ProcessShield.raise(isElevated: caller.isElevated)
        let queue = OutputQueue()
        sinks = (QueuedSink(.output, queue), QueuedSink(.errors, queue))
    } else {
        sinks = (FileSink(.output), FileSink(.errors))
    }
    Task { [sinks] in
        let status = await program.run(
            Array(CommandLine.arguments.dropFirst()), caller: caller, output: sinks.output, errors: sinks.errors)
        try? sinks.errors.finish()
        StandardFiles.exit(status.number)
    }
    while true { DispatchSemaphore(value: 0).wait() }
}
