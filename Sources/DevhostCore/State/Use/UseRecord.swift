/// What was seen of the use of one VM, from its making on or since this is kept.
///
/// How long it was unused is summed up from look to look, by a clock that nobody can set, and a gap between two looks
/// counts as one day at the most. So no VM ages by a clock that jumps, nor on the strength of one look.
struct UseRecord: Sendable, Hashable, Codable {
    /// A look at the VM.
    struct Look: Sendable, Hashable, Codable {
        var date: Timestamp
        var uptime: Uptime
        /// Whether the VM ran.
        var wasActive: Bool
    }

    /// The CPU time of a VM at some moment.
    struct CPUSample: Sendable, Hashable, Codable {
        /// In nanoseconds.
        var time: UInt64
        var uptime: Uptime
    }

    /// When each sign was seen last.
    var signs: [UseSign: Timestamp] = [:]
    /// The last trace of each sign that was taken up: another one is a new sign, whatever the clock says.
    var traces: [UseSign: Timestamp] = [:]
    /// How many seconds of a life without a sign were looked at since the last one.
    var idle: Double = 0
    /// How many seconds in the trash were looked at.
    var trashed: Double = 0
    /// The last look.
    var look: Look?
    /// The CPU time that the next one is compared with.
    var cpu: CPUSample?
    /// Local ports of root's connections to the VM's sshd at the last look but those right before it.
    var rootPorts: Set<Int> = []
    /// Whether clean-up shut it down, or was about to.
    var isPutToRest: Bool = false
    /// Why not all signs could be read at the last look.
    var problem: String?

    /// The longest time that one pair of looks can add, in seconds.
    static let longestGap: Double = 86400
    /// The longest time that a probe of the devhost's own may keep a connection, in seconds, with room to spare.
    static let longestProbe: Double = 60
    /// The shortest time over which a load is judged, in seconds: a start alone is a load.
    static let shortestSample: Double = 600

    /// When the VM was last used; nil where nobody has looked yet.
    var lastUse: Timestamp? { signs.values.max() }

    /// Takes up what a look found.
    /// - Parameters:
    ///   - threshold: From what load on the VM is in use, in percent of one CPU.
    ///   - date: The moment of the look.
    /// - Returns: Whether it was used since the look before.
    @discardableResult
    mutating func take(
        _ traces: UseTraces, of record: VMRecord, threshold: Int, date: Timestamp, uptime: Uptime
    ) -> Bool {
        let elapsed = look.map { min(uptime.elapsed(since: $0.uptime), Self.longestGap) } ?? 0
        let before = look
        look = Look(date: date, uptime: uptime, wasActive: traces.isActive)
        guard record.trashed == nil else {
            trashed += elapsed
            problem = nil
            return false
        }
        trashed = 0
        var seen = traces.current
        if isBusy(traces.cpuTime, threshold: threshold, uptime) { seen.insert(.cpu) }
        if before == nil || elapsed > Self.longestProbe {
            if !rootPorts.isDisjoint(with: traces.rootPorts) { seen.insert(.ssh) }
            rootPorts = traces.rootPorts
        }
        if before?.wasActive == true, !traces.isActive, !isPutToRest { seen.insert(.shutdown) }
        if traces.isActive { isPutToRest = false }
        for sign in seen { signs[sign] = date }
        for (sign, last) in traces.last where self.traces[sign] != last {
            self.traces[sign] = last
            if !seen.contains(sign) { signs[sign] = last }
            seen.insert(sign)
        }
        problem = traces.problem
        if !seen.isEmpty {
            idle = 0
        } else if problem == nil {
            idle += elapsed
        }
        return !seen.isEmpty
    }

    /// Whether the VM worked since the sample before, which is renewed when it is old enough.
    private mutating func isBusy(_ time: UInt64?, threshold: Int, _ uptime: Uptime) -> Bool {
        guard let time else {
            cpu = nil
            return false
        }
        guard let sample = cpu, sample.uptime.boot == uptime.boot else {
            cpu = CPUSample(time: time, uptime: uptime)
            return false
        }
        let elapsed = uptime.elapsed(since: sample.uptime)
        guard elapsed >= Self.shortestSample else { return false }
        cpu = CPUSample(time: time, uptime: uptime)
        // A new process counts from nought.
        let used = time >= sample.time ? time - sample.time : time
        return Double(used) / 1e9 > elapsed * Double(threshold) / 100
    }
}
