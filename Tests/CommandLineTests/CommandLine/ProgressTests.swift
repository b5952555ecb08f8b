import DevhostBase
import FoundationEssentials
import Synchronization
import Testing

@testable import DevhostCommandLine

@Suite("Showing progress")
struct ProgressTests {
    /// A clock that a test moves.
    final class ManualClock: SystemClock {
        private let time = Mutex(ContinuousClock.now)
        var now: Date { Date(timeIntervalSince1970: 0) }
        var monotonic: ContinuousClock.Instant { time.withLock { $0 } }
        func sleep(for duration: Duration) async throws { advance(duration) }
        func advance(_ duration: Duration) { time.withLock { $0 += duration } }
    }

    let clock = ManualClock()

    @Test("without a terminal every event is a line, and what counts up one every few seconds")
    func lines() {
        let sink = MemorySink()
        let progress = TerminalProgress(sink, program: "sample", clock: clock)
        progress.report(.step("starting a"))
        for second in 0..<12 {
            progress.report(.step("waiting for a (\(second) s)"))
            progress.report(.step("waiting for b (\(second) s)"))
            clock.advance(.seconds(1))
        }
        progress.report(.notice("a\nb\u{1b}"))
        progress.report(.warning("careful"))
        progress.finish()
        #expect(
            sink.text == """
                starting a
                waiting for a (0 s)
                waiting for b (0 s)
                waiting for a (5 s)
                waiting for b (5 s)
                waiting for a (10 s)
                waiting for b (10 s)
                a / b\\u{1b}
                sample: warning: careful

                """)
    }

    @Test("a transfer is a line every few seconds, and its end one always")
    func transfers() {
        let sink = MemorySink()
        let progress = TerminalProgress(sink, program: "sample", clock: clock)
        for part: UInt64 in 0...8 {
            progress.report(.transfer(what: "image", done: part << 20, total: 8 << 20, rate: 1 << 20))
            clock.advance(.seconds(1))
        }
        #expect(
            sink.text == """
                image: 0 %, 0 B of 8 MiB, 1 MiB/s, 0:08 left
                image: 62 %, 5 MiB of 8 MiB, 1 MiB/s, 0:03 left
                image: 100 %, 8 MiB of 8 MiB, 1 MiB/s

                """)
    }

    @Test("on a terminal one line changes and is taken away in the end")
    func terminal() {
        let sink = MemorySink(columns: 40)
        let progress = TerminalProgress(sink, program: "sample", clock: clock)
        progress.report(.step("a step whose text is much too long for this terminal"))
        progress.report(.notice("seen"))
        progress.report(.step("b"))
        progress.finish()
        progress.finish()
        let clear = "\r\u{1b}[K"
        #expect(
            sink.text
                == "\ra step whose text is much too long for\u{1b}[K\(clear)seen\n\rb\u{1b}[K\(clear)"
                .replacing("too long for\u{1b}", with: "too long for \u{1b}"))
    }

    @Test("a bar fills")
    func bar() {
        let transfer = TransferText(what: "image", done: 1 << 30, total: 2 << 30, rate: 100 << 20)
        #expect(transfer.line(columns: 80) == "image [==========          ] 50 %, 1 GiB of 2 GiB, 100 MiB/s, 0:10 left")
        #expect(transfer.line(columns: 30) == "image: 50 %, 1 GiB of 2 GiB, 1")
        let unknown = TransferText(what: "image", done: 5 << 20, total: nil, rate: 0)
        #expect(unknown.line(columns: 80) == "image: 5 MiB")
    }

    @Test("quiet leaves warnings")
    func quiet() {
        let sink = MemorySink()
        let progress = TerminalProgress(sink, program: "sample", isQuiet: true, clock: clock)
        progress.report(.step("a"))
        progress.report(.notice("b"))
        progress.report(.transfer(what: "c", done: 1, total: 1, rate: 0))
        progress.report(.warning("d"))
        #expect(sink.text == "sample: warning: d\n")
    }

    @Test("results take the changing line away first")
    func results() throws {
        let sink = MemorySink(columns: 80)
        let progress = TerminalProgress(sink, program: "sample", clock: clock)
        progress.report(.step("a"))
        try ResultOutput(sink, progress: progress).line("done")
        #expect(sink.text == "\ra\u{1b}[K\r\u{1b}[Kdone\n")
    }
}
