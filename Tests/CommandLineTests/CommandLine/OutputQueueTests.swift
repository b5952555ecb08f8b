import DevhostBase
import Dispatch
import Synchronization
import Testing

@testable import DevhostCommandLine

/// Output that nobody reads holds up nothing.
@Suite struct OutputQueueTests {
    /// Standard files one of which takes nothing until it is opened.
    private final class Files: Sendable {
        let closed: StandardFile
        let gate = DispatchSemaphore(value: 0)
        let reached = DispatchSemaphore(value: 0)
        let written = Mutex<[String]>([])

        init(closed: StandardFile) { self.closed = closed }

        func write(_ file: StandardFile, _ bytes: [UInt8]) -> Bool {
            if file == closed {
                reached.signal()
                gate.wait()
                gate.signal()
            }
            written.withLock { $0.append("\(file): \(String(decoding: bytes, as: UTF8.self))") }
            return true
        }
    }

    @Test func ofMessagesThatNobodyReadsTheLastOnesAreKept() throws {
        let files = Files(closed: .errors)
        let queue = OutputQueue { files.write($0, $1) }
        let errors = QueuedSink(.errors, queue)
        try errors.write("first")
        files.reached.wait()
        let long = String(repeating: "x", count: 1 << 10)
        for number in 0..<2000 { try errors.write("\(number) \(long)") }
        try errors.write("the reason")
        files.gate.signal()
        #expect(queue.flush(within: nil))
        let written = files.written.withLock { $0 }
        #expect(written.first == "errors: first" && written.last == "errors: the reason")
        #expect((200...256).contains(written.count), "\(written.count)")
    }

    @Test func resultsArriveWhereNobodyReadsMessages() throws {
        let files = Files(closed: .errors)
        let queue = OutputQueue { files.write($0, $1) }
        try QueuedSink(.errors, queue).write("message")
        files.reached.wait()
        try QueuedSink(.output, queue).write("result")
        try queue.finish()
        #expect(files.written.withLock { $0 } == ["output: result"])
        files.gate.signal()
        #expect(queue.flush(within: nil))
    }

    @Test func whatComesFirstIsWrittenFirst() throws {
        let files = Files(closed: .output)
        let queue = OutputQueue { files.write($0, $1) }
        try QueuedSink(.output, queue).write("1")
        for number in 2...5 { try QueuedSink(number % 2 == 0 ? .errors : .output, queue).write("\(number)") }
        files.gate.signal()
        try queue.finish()
        #expect(files.written.withLock { $0 } == ["output: 1", "errors: 2", "output: 3", "errors: 4", "output: 5"])
    }

    @Test func aResultThatCannotBeWrittenIsAFailure() throws {
        let full = OutputQueue { _, _ in throw DevhostError(.insufficientSpace, "full") }
        try QueuedSink(.output, full).write("result")
        #expect(throws: DevhostError.self) { try full.finish() }
        #expect(throws: DevhostError.self) { try QueuedSink(.output, full).write("more") }
        let gone = OutputQueue { _, _ in false }
        try QueuedSink(.output, gone).write("result")
        #expect(throws: ReaderIsGone.self) { try gone.finish() }
    }
}
