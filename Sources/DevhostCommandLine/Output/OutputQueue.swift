import DevhostBase
import Dispatch
import Synchronization

/// What a program writes to its standard files, in the order in which it came, on its way by a thread of its own: a pipe
/// that nobody empties, or a terminal that was stopped (^S), does not hold up the work.
///
/// Results are kept until they are written, whoever writes waits beyond 16 MiB of them. Of messages the last 256 KiB are
/// kept: the oldest go first, the reason of a failure is the last.
package final class OutputQueue: Sendable {
    /// How much of messages is kept, in bytes.
    package static let messageBound = 256 << 10
    /// From how much on a writer of results waits, in bytes.
    package static let resultBound = 16 << 20
    /// How long messages may take to be read when all work is done.
    package static let finalLimit = Duration.seconds(5)

    private struct Part {
        let file: StandardFile
        let bytes: [UInt8]
    }

    private struct State {
        var parts: [Part] = []
        /// Of which file something is being written.
        var current: StandardFile?
        var isRunning = false
        /// What a file cannot be written for.
        var failures: [StandardFile: any Error] = [:]
        var waiting: [DispatchSemaphore] = []

        func size(_ file: StandardFile) -> Int { parts.reduce(0) { $0 + ($1.file == file ? $1.bytes.count : 0) } }

        mutating func wake() {
            for each in waiting { each.signal() }
            waiting = []
        }
    }

    private let state = Mutex(State())
    private let write: @Sendable (StandardFile, [UInt8]) throws -> Bool

    /// A queue for the standard files of this process.
    /// - Parameter write: Writes bytes; false where nobody reads any more.
    package init(write: @escaping @Sendable (StandardFile, [UInt8]) throws -> Bool = { try $0.write($1) }) {
        self.write = write
    }

    /// Adds text.
    /// - Throws: ``ReaderIsGone``, and what an earlier write to the file failed with.
    func add(_ text: String, to file: StandardFile) throws {
        let bytes = Array(text.utf8)
        while true {
            let full: DispatchSemaphore? = try state.withLock { state in
                if let failure = state.failures[file] { throw failure }
                if file == .output, state.size(.output) >= Self.resultBound {
                    let semaphore = DispatchSemaphore(value: 0)
                    state.waiting.append(semaphore)
                    return semaphore
                }
                if file == .errors {
                    while state.size(.errors) + bytes.count > Self.messageBound,
                        let oldest = state.parts.firstIndex(where: { $0.file == .errors })
                    {
                        state.parts.remove(at: oldest)
                    }
                }
                state.parts.append(Part(file: file, bytes: bytes))
                if !state.isRunning {
                    state.isRunning = true
                    Blocking.start { self.run() }
                }
                return nil
            }
            guard let full else { return }
            full.wait()
        }
    }

    private func run() {
        while true {
            let next: Part? = state.withLock { state in
                state.current = nil
                state.wake()
                guard !state.parts.isEmpty else {
                    state.isRunning = false
                    return nil
                }
                let part = state.parts.removeFirst()
                state.current = part.file
                return part
            }
            guard let next else { return }
            do {
                if try !write(next.file, next.bytes) { fail(next.file, ReaderIsGone()) }
            } catch {
                fail(next.file, error)
            }
        }
    }

    private func fail(_ file: StandardFile, _ error: any Error) {
        state.withLock { state in
            state.failures[file] = error
            state.parts.removeAll { $0.file == file }
        }
    }

    /// Waits until everything is written.
    /// - Parameter limit: How long; nil for as long as it takes.
    /// - Returns: Whether everything is.
    @discardableResult
    package func flush(within limit: Duration?) -> Bool {
        let deadline = limit.map { DispatchTime.now() + Double($0.components.seconds) } ?? .distantFuture
        while true {
            let busy: DispatchSemaphore? = state.withLock { state in
                guard state.isRunning else { return nil }
                let semaphore = DispatchSemaphore(value: 0)
                state.waiting.append(semaphore)
                return semaphore
            }
            guard let busy else { return true }
            if busy.wait(timeout: deadline) == .timedOut { return false }
        }
    }

    /// Delivers what is left when all work is done: results, however long their reader takes, and messages where they are
    /// read within 5 s.
    /// - Throws: What the results could not be written for.
    package func finish() throws {
        while !flush(within: Self.finalLimit) {
            let rest: [Part]? = state.withLock { state in
                guard state.current == .errors else { return nil }
                let rest = state.parts.filter { $0.file == .output }
                state.parts.removeAll { $0.file == .output }
                return rest
            }
            // Results are on their way, and somebody reads them in his own time.
            guard let rest else { continue }
            for part in rest where try !write(part.file, part.bytes) { throw ReaderIsGone() }
            break
        }
        if let failure = state.withLock({ $0.failures[.output] }) { throw failure }
    }
}

/// A standard file that is written by way of a queue.
package struct QueuedSink: TextSink {
    private let file: StandardFile
    private let queue: OutputQueue

    /// A standard file of a queue.
    package init(_ file: StandardFile, _ queue: OutputQueue) {
        self.file = file
        self.queue = queue
    }

    package var hasReader: Bool { file.hasReader }
    package var isTerminal: Bool { file.isTerminal }
    package var columns: Int? { file.columns }

    package func write(_ text: String) throws { try queue.add(text, to: file) }

    package func settle() { queue.flush(within: OutputQueue.finalLimit) }

    package func finish() throws { try queue.finish() }
}
