/// What one look at a VM found.
struct UseTraces: Sendable, Hashable {
    /// The last trace of each sign that leaves any, whenever that was.
    var last: [UseSign: Timestamp] = [:]
    /// Signs that hold at this moment.
    var current: Set<UseSign> = []
    /// The CPU time in nanoseconds since its hypervisor process was started; nil where that is not known.
    var cpuTime: UInt64?
    /// Whether it runs.
    var isActive = false
    /// Local ports of root's connections to its sshd: a probe of the devhost's own, or root's way through.
    var rootPorts: Set<Int> = []
    /// Why some of the signs cannot be read; nil where all were.
    var problem: String?
}
