#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where the library takes the time from, so that a test can live through months in a second.
public protocol SystemClock: Sendable {
    /// The date and time of day.
    var now: Date { get }
    /// A time that never goes back, for limits.
    var monotonic: ContinuousClock.Instant { get }
    /// How long the machine has been up: a measure of time that can be kept on disk, and that a clock which is set does
    /// not disturb.
    var uptime: Uptime { get }
    /// Waits.
    func sleep(for duration: Duration) async throws
}

extension SystemClock {
    /// The machine's.
    public var uptime: Uptime { .current }
}

/// The clock of the machine.
public struct RealClock: SystemClock {
    /// Makes the clock.
    public init() {}
    /// The machine's date and time.
    public var now: Date { Date() }
    /// The machine's monotonic clock.
    public var monotonic: ContinuousClock.Instant { ContinuousClock.now }
    /// Waits in real time.
    public func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}
