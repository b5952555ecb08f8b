import DevhostBase
import DevhostCommandLine
import Synchronization

/// Shows how an environment comes up.
final class UpReporter: Sendable {
    private let options: RunOptions
    private let progress: TerminalProgress
    private let isSingle: Bool
    private let reporters = Mutex<[String: RunReporter]>([:])

    /// - Parameter isSingle: Whether there is one host only, so that lines need not say whose they are.
    init(_ options: RunOptions, _ progress: TerminalProgress, isSingle: Bool) {
        self.options = options
        self.progress = progress
        self.isSingle = isSingle
    }

    func report(_ event: EnvironmentEvent) {
        switch event {
        case .warning(let text): progress.warning(text)
        case .step(let host, let text):
            if options.isDryRun {
                progress.notice(prefix(host) + text)
            } else {
                progress.report(.step(prefix(host) + text))
            }
        case .devhost(let host, let text): progress.report(.step(prefix(host) + text))
        case .provision(let host, let event): reporter(host).report(event)
        case .ended: for reporter in reporters.withLock({ $0.values.map { $0 } }) { reporter.finish() }
        }
    }

    private func prefix(_ host: String) -> String { isSingle ? "" : "\(host): " }
    private func reporter(_ host: String) -> RunReporter {
        reporters.withLock { reporters in
            if let reporter = reporters[host] { return reporter }
            let reporter = RunReporter(options, progress, prefix: prefix(host))
            reporters[host] = reporter
            return reporter
        }
    }
}
