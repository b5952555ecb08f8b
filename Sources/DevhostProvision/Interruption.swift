import DevhostCommandLine
import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// ^C and its like: the work is cancelled and cleans up after itself.
enum Interruption {
    /// Runs a body whose task is cancelled by SIGINT, SIGTERM and SIGHUP; the status is then 130, as of what ^C ends.
    static func cancelling(_ body: @escaping @Sendable () async throws -> ExitStatus) async throws -> ExitStatus {
        let task = Task { try await body() }
        let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { task.cancel() }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        do {
            return try await task.value
        } catch is CancellationError {
            return ExitStatus(130)
        }
    }
}
