/// Whether what VMs take together stays within the limits of devhost.cfg.
struct UsageLimits: Sendable {
    let limits: Configuration.Limits
    /// The memory of the machine in bytes.
    let machineMemory: UInt64

    /// One thing that is counted.
    private struct Measure {
        let what: String
        let user: (key: String, bound: UInt64?)
        let total: [(key: String, bound: UInt64?)]
        let amount: @Sendable (VMUsage) -> UInt64
        let text: @Sendable (UInt64) -> String
    }

    private var measures: [Measure] {
        let allowed = limits.memoryPercent.map {
            machineMemory / 100 * UInt64($0) + machineMemory % 100 * UInt64($0) / 100
        }
        let number = { @Sendable (value: UInt64) in "\(value)" }
        return [
            Measure(
                what: "VMs", user: ("user-vms", limits.user.vms.map(UInt64.init)),
                total: [("vms", limits.total.vms.map(UInt64.init))], amount: { $0.isVM ? 1 : 0 }, text: number),
            Measure(
                what: "of memory in VMs that run", user: ("user-memory", limits.user.memory),
                total: [("memory", limits.total.memory), ("memory-overcommit", allowed)], amount: { $0.memory },
                text: ByteText.size),
            Measure(
                what: "CPUs in VMs that run", user: ("user-cpu", limits.user.cpus.map(UInt64.init)),
                total: [("cpu", limits.total.cpus.map(UInt64.init))], amount: { UInt64($0.cpus) }, text: number),
            Measure(
                what: "of disk", user: ("user-disk", limits.user.disk), total: [("disk", limits.total.disk)],
                amount: { $0.disk }, text: ByteText.size),
        ]
    }

    /// Looks whether a VM may take more than it does. One that takes no more of a thing is not asked about it: limits
    /// that are lowered below what is used refuse growth, and nothing else.
    /// - Parameters:
    ///   - new: What the VM is to take.
    ///   - old: What it takes; nil where it is new.
    ///   - held: What it holds now, which it may keep: a guest need not give memory back.
    ///   - others: What all other VMs take.
    ///   - caller: On whose account a VM without an owner grows.
    /// - Throws: `refused`, with what is used by whom.
    func check(
        _ new: VMUsage, insteadOf old: VMUsage?, holding held: VMUsage? = nil, others: [VMUsage], caller: String
    ) throws {
        let owner = new.owner ?? caller
        for measure in measures {
            guard measure.amount(new) > old.map(measure.amount) ?? 0 else { continue }
            let wanted = max(measure.amount(new), held.map(measure.amount) ?? 0)
            let own = others.filter { $0.owner == owner }
            try check(
                measure, measure.user, wanted.addingClamped(Self.sum(own, measure.amount)), new,
                who: owner.printable, uses: own.map { ($0.name.description, measure.amount($0)) })
            var byOwner: [String: UInt64] = [:]
            for use in others {
                byOwner[use.owner ?? "nobody", default: 0] = byOwner[use.owner ?? "nobody", default: 0].addingClamped(
                    measure.amount(use))
            }
            for bound in measure.total {
                try check(
                    measure, bound, wanted.addingClamped(Self.sum(others, measure.amount)), new, who: "all together",
                    uses: byOwner.map { ($0.key.printable, $0.value) })
            }
        }
    }

    /// Whether a VM takes more of anything than it did.
    static func grows(_ new: VMUsage, from old: VMUsage?) -> Bool {
        guard let old else { return true }
        return new.memory > old.memory || new.cpus > old.cpus || new.disk > old.disk
    }

    private static func sum(_ uses: [VMUsage], _ amount: (VMUsage) -> UInt64) -> UInt64 {
        uses.reduce(0) { $0.addingClamped(amount($1)) }
    }

    private func check(
        _ measure: Measure, _ limit: (key: String, bound: UInt64?), _ sum: UInt64, _ new: VMUsage, who: String,
        uses: [(String, UInt64)]
    ) throws {
        guard let bound = limit.bound, sum > bound else { return }
        let sorted = uses.filter { $0.1 > 0 }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }
        var used = sorted.prefix(8).map { "\($0.0) \(measure.text($0.1))" }.joined(separator: ", ")
        if sorted.count > 8 { used += " and \(sorted.count - 8) more" }
        throw DevhostError(
            .refused,
            "with \(new.name), \(who) would have \(measure.text(sum)) \(measure.what), where "
                + "[limits] \(limit.key) allows \(measure.text(bound)); used now: \(used.isEmpty ? "nothing" : used)",
            next: "ask for less, or shut down or destroy what nobody needs")
    }
}
