import Synchronization

/// Collects a small document in memory.
final class DocumentSink: Sendable {
    /// The document goes on past what is allowed.
    struct TooLarge: Error {
        let maximum: Int
    }

    private let maximum: Int
    private let state = Mutex((parser: HTTPHeadParser(), content: [UInt8]()))

    init(maximum: Int) { self.maximum = maximum }

    var status: Int { state.withLock { $0.parser.head.status } }
    var content: [UInt8] { state.withLock { $0.content } }

    func takeHead(_ part: UnsafeRawBufferPointer) throws { try state.withLock { try $0.parser.take(part) } }

    func takeBody(_ part: UnsafeRawBufferPointer) throws {
        try state.withLock { state in
            guard state.content.count + part.count <= maximum else { throw TooLarge(maximum: maximum) }
            state.content += part
        }
    }
}
