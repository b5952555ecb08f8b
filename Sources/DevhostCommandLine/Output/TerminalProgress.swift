import DevhostBase
import Synchronization

/// Shows what a verb reports: on a terminal as one line that changes, elsewhere as a line for each event, for transfers
/// and long waits one every few seconds. It may be told from any thread.
package final class TerminalProgress: Sendable {
    private struct State {
        /// Whether a line that is to change stands on the terminal.
        var hasLine = false
        /// When each transfer and each step that counts up was shown last.
        var shown: [String: ContinuousClock.Instant] = [:]
    }

    /// How often a line is written of something that goes on, where there is no terminal.
    package static let interval: Duration = .seconds(5)
    /// How often the bar of a transfer changes.
    private static let redrawInterval: Duration = .milliseconds(100)

    private let sink: any TextSink
    private let program: String
    private let isQuiet: Bool
    private let clock: any SystemClock
    private let state = Mutex(State())

    /// Progress on a sink.
    /// - Parameter isQuiet: Whether only warnings are shown.
    package init(_ sink: any TextSink, program: String, isQuiet: Bool = false, clock: any SystemClock = RealClock()) {
        self.sink = sink
        self.isQuiet = isQuiet
        self.clock = clock
        self.program = program
    }

    /// What to hand to the verbs of the library.
    package var handler: ProgressHandler { { [self] in report($0) } }

    /// Says something that stays true, for people.
    package func notice(_ text: String) { report(.notice(text)) }

    /// Says that something is not as it should be.
    package func warning(_ text: String) { report(.warning(text)) }

    /// Shows an event.
    package func report(_ event: ProgressEvent) {
        state.withLock { state in
            switch event {
            case .warning(let text): line("\(program): warning: \(text.onOneLine)", &state)
            case .notice(let text): if !isQuiet { line(text.onOneLine, &state) }
            case .step(let text): if !isQuiet { step(text.onOneLine, &state) }
            case .transfer(let what, let done, let total, let rate):
                if !isQuiet { transfer(TransferText(what: what, done: done, total: total, rate: rate), &state) }
            }
        }
    }

    /// Takes the changing line off the terminal: what comes next is written by somebody else.
    package func finish() { state.withLock { clear(&$0) } }

    /// Leaves the terminal to somebody else, to whom it belongs when this returns.
    package func yield() {
        finish()
        sink.settle()
    }

    private func step(_ text: String, _ state: inout State) {
        if sink.isTerminal {
            draw(text, &state)
            return
        }
        let stem = String(text.prefix { $0 != "(" })
        if stem == text || isDue(stem, after: Self.interval, &state) { write(text + "\n") }
    }

    private func transfer(_ transfer: TransferText, _ state: inout State) {
        let isEnd = transfer.done == transfer.total
        let interval = sink.isTerminal ? Self.redrawInterval : Self.interval
        guard isDue(transfer.what, after: interval, &state) || isEnd else { return }
        if sink.isTerminal {
            draw(transfer.line(columns: columns), &state)
        } else {
            write("\(transfer.what.onOneLine): \(transfer.figures)\n")
        }
    }

    /// Whether this is something new, or has gone on for so long that it is worth another line.
    private func isDue(_ subject: String, after interval: Duration, _ state: inout State) -> Bool {
        let now = clock.monotonic
        if let shown = state.shown[subject], now < shown + interval { return false }
        state.shown[subject] = now
        return true
    }

    private var columns: Int { max(20, (sink.columns ?? 80) - 1) }

    private func draw(_ text: String, _ state: inout State) {
        write("\r" + text.fitting(columns: columns) + "\u{1b}[K")
        state.hasLine = true
    }

    private func line(_ text: String, _ state: inout State) {
        clear(&state)
        write(text + "\n")
    }

    private func clear(_ state: inout State) {
        if state.hasLine { write("\r\u{1b}[K") }
        state.hasLine = false
    }

    /// Nobody reading messages is no reason to stop working.
    private func write(_ text: String) { try? sink.write(text) }
}
