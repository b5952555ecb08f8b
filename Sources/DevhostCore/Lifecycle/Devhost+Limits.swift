extension Devhost {
    /// Writes the record of a VM, where it takes no more than devhost.cfg allows. Two verbs that both still fit alone
    /// are counted one after the other.
    /// - Parameters:
    ///   - record: What the VM is to take.
    ///   - old: The record as it is; nil where the VM is new.
    ///   - written: What is written where that is not `record` itself.
    /// - Throws: `refused` past a limit; nothing is written then.
    func claim(
        _ record: VMRecord, insteadOf old: VMRecord?, writing written: VMRecord? = nil, libvirt: Connection
    ) async throws {
        let written = written ?? record
        guard UsageLimits.grows(VMUsage(record), from: old.map { VMUsage($0) }) else {
            return try records.save(written)
        }
        let lock = try await FileLock.acquire(
            layout.limitLock, holder: "the count for \(record.name)", limit: configuration.lockLimit, clock: clock)
        defer { withExtendedLifetime(lock) {} }
        try await checkLimits(record, insteadOf: old, libvirt: libvirt)
        try records.save(written)
    }

    /// Looks whether a VM would take more than devhost.cfg allows. Nothing is held for it: only ``claim`` counts.
    /// - Throws: `refused` past a limit.
    func checkLimits(_ record: VMRecord, insteadOf old: VMRecord?, libvirt: Connection) async throws {
        let new = VMUsage(record)
        let present = old.map { VMUsage($0) }
        guard UsageLimits.grows(new, from: present) else { return }
        let limits = UsageLimits(limits: configuration.limits, machineMemory: try await libvirt.node().memory)
        let uses = try await uses(libvirt)
        try limits.check(
            new, insteadOf: present, holding: uses.first { $0.name == record.name },
            others: uses.filter { $0.name != record.name }, caller: caller.name)
    }
}
