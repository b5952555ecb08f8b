/// Measures the rate of a transfer over its last seconds and says when it is time to tell somebody.
package struct TransferMeter {
    private static let interval = Duration.milliseconds(100)
    private static let window = Duration.seconds(5)

    private var samples: [(time: ContinuousClock.Instant, bytes: UInt64)] = []

    package init() {}

    /// Takes note of the bytes that have arrived by now.
    /// - Returns: The rate in bytes a second, 0 where it cannot be told yet; nil where it is too early to tell anybody.
    package mutating func record(_ bytes: UInt64, at time: ContinuousClock.Instant, isLast: Bool) -> UInt64? {
        if let last = samples.last, time - last.time < Self.interval, !isLast { return nil }
        samples.append((time, bytes))
        samples.removeAll { time - $0.time > Self.window }
        guard let first = samples.first, first.time < time, bytes >= first.bytes else { return 0 }
        let seconds = (time - first.time) / .seconds(1)
        let rate = Double(bytes - first.bytes) / seconds
        // Two samples within a nanosecond tell of no rate.
        return UInt64(exactly: rate.rounded()) ?? 0
    }

    /// Forgets what was measured, because the transfer starts anew.
    package mutating func reset() { samples = [] }
}
