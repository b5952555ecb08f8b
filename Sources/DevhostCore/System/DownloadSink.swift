import Synchronization

/// Where the bytes of one download go: through the digest into a file. What has been digested is always exactly what
/// the file holds, across broken connections too.
final class DownloadSink: Sendable {
    /// What one attempt saw of the response.
    struct Response {
        var head = HTTPResponseHead()
        var locations: [String] = []
    }

    /// Where the bytes go and under which conditions.
    struct Target: Sendable {
        /// The source, for messages.
        var name: String
        var file: FileDescriptor
        var path: String
        var maximum: UInt64
        /// Asked before the first byte is written and after every ``FreeSpace/step`` bytes, with the number that is to
        /// come where the server states the size.
        var admit: @Sendable (UInt64?) throws -> Void
        var progress: ProgressHandler
        var clock: any SystemClock
    }

    private struct State {
        var hasher: SHA256Hasher?
        var kept: UInt64 = 0
        var total: UInt64?
        var parser = HTTPHeadParser()
        var isBegun = false
        var requestedOffset: UInt64?
        var validators = HTTPValidators()
        var meter = TransferMeter()
    }

    private let state = Mutex(State())
    private let target: Target

    init(_ target: Target) { self.target = target }

    /// How many bytes are held, and by what a further request can make sure that it goes on with the same resource.
    var position: (kept: UInt64, validators: HTTPValidators) { state.withLock { ($0.kept, $0.validators) } }

    /// What the current attempt has seen of the response.
    var response: Response {
        state.withLock { Response(head: $0.parser.head, locations: $0.parser.locations) }
    }

    /// Prepares for an attempt that asks for the bytes from `offset` on; without one, everything starts anew.
    func prepare(offset: UInt64?) throws {
        try state.withLock { state in
            state.parser = HTTPHeadParser()
            state.isBegun = false
            state.requestedOffset = offset
            if offset == nil { try startAnew(&state) }
        }
    }

    private func startAnew(_ state: inout State) throws {
        try target.file.truncate(to: 0, path: target.path)
        state.hasher = try SHA256Hasher()
        state.kept = 0
        state.total = nil
        state.meter.reset()
    }

    func takeHead(_ part: UnsafeRawBufferPointer) throws { try state.withLock { try $0.parser.take(part) } }

    func takeBody(_ part: UnsafeRawBufferPointer) throws {
        try state.withLock { state in
            try begin(&state)
            guard state.kept + UInt64(part.count) <= target.maximum else {
                throw DevhostError(
                    .refused, "cannot download \(target.name): it is larger than \(target.maximum) bytes")
            }
            try target.file.write(part, path: target.path)
            try state.hasher?.update(part)
            let before = state.kept
            state.kept += UInt64(part.count)
            if before / FreeSpace.step != state.kept / FreeSpace.step {
                try target.admit(state.total.map { $0 - min($0, state.kept) })
            }
            tell(&state, isLast: false)
        }
    }

    /// Makes sense of the response's head before its first byte is kept.
    private func begin(_ state: inout State) throws {
        if state.isBegun { return }
        state.isBegun = true
        let head = state.parser.head
        switch head.status {
        case 206:
            guard let offset = state.requestedOffset, let range = head.contentRange, range.start == offset else {
                throw UnusablePart(reason: "the server sent another part than the one asked for")
            }
            if let total = state.total, let other = range.total, total != other {
                throw UnusablePart(reason: "the file on the server has changed")
            }
            state.total = state.total ?? range.total
        case 200:
            if state.requestedOffset != nil, state.kept > 0 {
                target.progress(
                    .notice("the download of \(target.name) starts anew: the server sent all of it instead of the rest")
                )
                try startAnew(&state)
            }
            state.total = head.contentLength
            state.validators = head.validators
        default:
            throw DevhostError(
                .unavailable, "cannot download \(target.name): the server answered with status \(head.status)")
        }
        if let total = state.total, total > target.maximum {
            throw DevhostError(
                .refused,
                "cannot download \(target.name): it has \(total) bytes, more than the \(target.maximum) allowed")
        }
        try target.admit(state.total.map { $0 - min($0, state.kept) })
    }

    private func tell(_ state: inout State, isLast: Bool) {
        guard let rate = state.meter.record(state.kept, at: target.clock.monotonic, isLast: isLast) else { return }
        target.progress(.transfer(what: target.name, done: state.kept, total: state.total, rate: rate))
    }

    /// Ends the download, all of which has arrived.
    /// - Throws: ``UnusablePart`` where it has not.
    func finish() throws -> (sha256: SHA256Digest, size: UInt64, validators: HTTPValidators) {
        try state.withLock { state in
            // A body without a byte has not come through `takeBody`.
            try begin(&state)
            if let total = state.total, total != state.kept {
                throw UnusablePart(reason: "\(state.kept) bytes arrived where \(total) were announced")
            }
            tell(&state, isLast: true)
            guard let hasher = state.hasher else { throw DevhostError(.failed, "a digest is finished already") }
            state.hasher = nil
            return (try hasher.finish(), state.kept, state.validators)
        }
    }

    /// A response that cannot be joined to what is held: the next attempt starts anew.
    struct UnusablePart: Error {
        let reason: String
    }
}
