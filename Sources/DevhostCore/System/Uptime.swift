#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A point in time since the machine was started: nobody can set this clock.
public struct Uptime: Sendable, Hashable, Codable {
    /// Which start of the machine it counts from.
    public let boot: String
    /// The seconds since then, suspended time included.
    public let seconds: Double

    /// A point in time that is known.
    public init(boot: String, seconds: Double) {
        self.boot = boot
        self.seconds = seconds
    }

    /// The machine's.
    static var current: Uptime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Uptime(boot: HostBoot.current, seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
    }

    /// How many seconds passed at the least since an earlier point: after a start of the machine only what passed since
    /// that start is known.
    package func elapsed(since earlier: Uptime) -> Double {
        max(0, boot == earlier.boot ? seconds - earlier.seconds : seconds)
    }
}
