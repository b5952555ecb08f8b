import DevhostBase
import DevhostCommandLine

/// Shows a run: what the script says on its own streams, everything else on standard error.
struct RunReporter: Sendable {
    private let options: RunOptions
    private let progress: TerminalProgress
    /// What lines begin with when several VMs are prepared at once.
    private let prefix: String
    private let lines: PrefixedLines?

    init(_ options: RunOptions, _ progress: TerminalProgress, prefix: String = "") {
        self.options = options
        self.progress = progress
        self.prefix = prefix
        lines = prefix.isEmpty ? nil : PrefixedLines(prefix)
    }

    func report(_ event: ProvisionEvent) {
        switch event {
        case .output(let channel, let bytes):
            let stream: Int32 = channel == .output ? 1 : 2
            let shown = lines?.add(bytes, to: stream) ?? bytes
            if shown.isEmpty { return }
            progress.finish()
            StandardOutput.write(shown, to: stream)
        case .started(let call):
            if options.isVerbose || options.isDryRun { say(call.place + call.description) }
        case .finished(let result):
            if options.isVerbose, !options.isDryRun, result.status != 0 {
                say("\(result.call.place)\(result.call.verb.rawValue): exit \(result.status)")
            }
        case .connecting(let host): progress.report(.step("\(prefix)connecting to \(host)"))
        case .connected(let host, let duration):
            progress.finish()
            if options.isVerbose { say("connected to \(host) after \(Self.seconds(duration))") }
        case .failed(let failure):
            finish()
            say(failure.description)
        case .warning(let text): progress.warning(prefix + text)
        case .ended(let summary):
            finish()
            report(summary)
        }
    }

    /// Shows what the VM said without ending its line.
    func finish() {
        for (stream, line) in lines?.finish() ?? [] {
            progress.finish()
            StandardOutput.write(line, to: stream)
        }
    }

    private func report(_ summary: ProvisionSummary) {
        if options.isDryRun { return }
        let verbs = summary.times.map { "\($0.count) \($0.verb.rawValue) in \(Self.seconds($0.total))" }
        if verbs.isEmpty { return }
        progress.notice("\(prefix)\(verbs.joined(separator: ", ")); \(Self.seconds(summary.duration)) in all")
    }

    static func seconds(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        return "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    }

    /// Says something that is the point of the command, and not to be left out with --quiet.
    private func say(_ text: String) {
        progress.finish()
        StandardOutput.write(Array("\(prefix)\(text)\n".utf8), to: 2)
    }
}
