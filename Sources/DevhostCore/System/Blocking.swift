import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Carries blocking calls on threads of their own, so that no task of the Swift runtime's small pool waits in one.
///
/// Dispatch lends out 64 threads and then makes everybody wait: bodies that wait for each other would stand still. So
/// each body has a thread, which costs some 50 microseconds.
package enum Blocking {
    private static let queue = DispatchQueue(label: "devhost.blocking", attributes: .concurrent)

    /// Runs a blocking body and returns what it returns. The body cannot be cancelled: it bounds itself.
    package static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            start { continuation.resume(with: Swift.Result(catching: body)) }
        }
    }

    /// Starts a blocking body that nobody waits for.
    package static func start(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Body(body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let result = pthread_create(&thread, &attributes, run, box.toOpaque())
        guard result != 0 else { return }
        // No more threads: better late on a borrowed one than never.
        box.release()
        queue.async(execute: body)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private static let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
        if let pointer { Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run() }
        return nil
    }
}
