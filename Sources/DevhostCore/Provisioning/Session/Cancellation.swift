import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A signal that is given once, and that threads blocked in poll(2) see: the descriptor hangs up.
final class Cancellation: Sendable {
    private struct State {
        var writer: FileDescriptor?
        var waiting: [Int: CheckedContinuation<Void, any Error>] = [:]
        var next = 0
    }

    private let reader: FileDescriptor
    private let state: Mutex<State>

    init() throws {
        let pipe = try Pipe()
        reader = pipe.handOverReader()
        state = Mutex(State(writer: pipe.handOverWriter()))
    }

    /// Hangs up when the signal is given.
    var descriptor: Int32 { reader.number }

    var isCancelled: Bool { state.withLock { $0.writer == nil } }

    func cancel() {
        let waiting = state.withLock { state in
            state.writer = nil
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume() }
    }

    /// Waits for the signal.
    /// - Throws: `CancellationError` when the waiting task is cancelled.
    func wait() async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.writer == nil { return true }
                    state.waiting[number] = continuation
                    return false
                }
                if isOver {
                    continuation.resume()
                } else if Task.isCancelled {
                    giveUp(number)
                }
            }
        } onCancel: {
            giveUp(number)
        }
    }

    private func giveUp(_ number: Int) {
        let continuation = state.withLock { $0.waiting.removeValue(forKey: number) }
        continuation?.resume(throwing: CancellationError())
    }
}
