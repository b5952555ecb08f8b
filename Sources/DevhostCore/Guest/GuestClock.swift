import FoundationEssentials

/// The clock of a guest that stood still.
struct GuestClock: Sendable {
    let shell: GuestShell
    let clock: any SystemClock

    /// Sets the guest's clock by the real-time clock that QEMU gives it, which follows the devhost's also while the guest
    /// stands still: what ssh takes, seconds under emulation, does not count then. A guest without one, or with one that
    /// it has set itself, gets the devhost's time as it was when this was asked.
    func putRight() async throws {
        let now = Int(clock.now.timeIntervalSince1970)
        try await shell.run(Self.script(now), limit: .seconds(120))
    }

    /// The real-time clock counts whole seconds, and cannot be further on than the limit of the call.
    static func script(_ now: Int) -> String {
        """
        now=\(now)
        rtc=$(cat /sys/class/rtc/rtc0/since_epoch 2>/dev/null || echo 0)
        if [ $((rtc - now)) -ge -2 ] && [ $((rtc - now)) -le 122 ]; then now=$rtc; fi
        date -u -s "@$now" >/dev/null
        """
    }
}
