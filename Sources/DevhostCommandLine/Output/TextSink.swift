import DevhostBase
import Synchronization

/// Where text goes.
package protocol TextSink: Sendable {
    /// Writes text.
    /// - Throws: ``ReaderIsGone``, and what a write can fail with.
    func write(_ text: String) throws
    /// Whether anybody still reads.
    var hasReader: Bool { get }
    /// Whether it is a terminal.
    var isTerminal: Bool { get }
    /// The width of the terminal in columns; nil where there is none or it does not tell.
    var columns: Int? { get }
    /// Waits for what was written to arrive, for no longer than a few seconds: somebody else writes next.
    func settle()
    /// Waits for what was written to arrive, when all work is done.
    /// - Throws: What ``write(_:)`` throws.
    func finish() throws
}

extension TextSink {
    /// What is written arrives at once.
    package func settle() {}
    /// What is written arrives at once.
    package func finish() throws {}
}

/// Nobody reads what a program writes, as with `fc-devhost list | head -1`: it ends quietly.
package struct ReaderIsGone: Error {
    /// The fact.
    package init() {}
}

/// A standard file of this process.
package struct FileSink: TextSink {
    private let file: StandardFile

    /// A standard file.
    package init(_ file: StandardFile) { self.file = file }

    package var hasReader: Bool { file.hasReader }
    package var isTerminal: Bool { file.isTerminal }
    package var columns: Int? { file.columns }

    package func write(_ text: String) throws {
        guard try file.write(Array(text.utf8)) else { throw ReaderIsGone() }
    }
}

/// Text that is kept, for tests and for programs that embed commands.
package final class MemorySink: TextSink {
    private let content = Mutex("")
    package let hasReader = true
    package let isTerminal: Bool
    package let columns: Int?

    /// An empty one.
    package init(columns: Int? = nil) {
        self.columns = columns
        isTerminal = columns != nil
    }

    /// Everything written so far.
    package var text: String { content.withLock { $0 } }

    package func write(_ text: String) throws { content.withLock { $0 += text } }
}
