import Dispatch

/// Carries blocking calls on threads of their own, so that no task of the Swift runtime's small pool waits in one.
package enum Blocking {
    private static let queue = DispatchQueue(label: "devhost.blocking", attributes: .concurrent)

    /// Runs a blocking body and returns what it returns. The body cannot be cancelled: it bounds itself.
    package static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Swift.Result(catching: body)) }
        }
    }

    /// Starts a blocking body that nobody waits for.
    package static func start(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }
}
