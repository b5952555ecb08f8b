import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs what calls itself for each level of its input on a stack that is known to hold so many: that of the thread at hand
/// may be as small as 512 KiB, and a thread of its own costs some 50 microseconds.
package enum DeepStack {
    private static let size = 64 << 20

    /// Runs a body and returns what it returns. Blocks.
    package static func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
        let work = Work(body)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, size)
        var thread = pthread_t()
        let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
            if let pointer { Unmanaged<AnyWork>.fromOpaque(pointer).takeRetainedValue().run() }
            return nil
        }
        let pointer = Unmanaged<AnyWork>.passRetained(work)
        if pthread_create(&thread, &attributes, start, pointer.toOpaque()) == 0 {
            pthread_join(thread, nil)
        } else {
            pointer.release()
        }
        // Where there are no more threads, the stack at hand has to do.
        return work.take() ?? body()
    }

    private class AnyWork: @unchecked Sendable {
        // Unchecked: what its subclass holds is behind a lock.
        func run() {}
    }

    private final class Work<Result: Sendable>: AnyWork, @unchecked Sendable {
        private let body: @Sendable () -> Result
        private let result = Mutex<Result?>(nil)

        init(_ body: @escaping @Sendable () -> Result) { self.body = body }
        override func run() {
            let value = body()
            result.withLock { $0 = value }
        }
        func take() -> Result? { result.withLock { $0 } }
    }
}
