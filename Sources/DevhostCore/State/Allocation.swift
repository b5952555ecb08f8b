/// Gives out ids. They go round: what was just given back is the last to be given out again, so that a stale
/// ssh_config meets nobody rather than a stranger's VM.
struct Allocation: Sendable {
    let layout: Layout
    let plan: AddressPlan
    let clock: any SystemClock

    /// Takes the next id whose id, MAC and IP address nobody holds. Where nothing tells what a VM holds, that is an id that
    /// was never given out: one behind the counter and behind every id that is known.
    ///
    /// The records are read before the lock: an id that another process takes meanwhile lies behind the counter, which
    /// is read under the lock.
    /// - Throws: `insufficientSpace` when every id is taken, or may be.
    func next(held: HeldIdentities, holder: String, limit: Duration) async throws -> VMIdentifier {
        let ids = Set(held.records.compactMap(\.id))
        let macs = Set(held.records.compactMap(\.mac)).union(held.macs)
        let addresses = Set(held.records.compactMap(\.ipv4)).union(held.addresses)
        let lock = try await FileLock.acquire(layout.allocationLock, holder: holder, limit: limit, clock: clock)
        defer { withExtendedLifetime(lock) {} }
        let last = try readLast() ?? ids.filter { plan.identifiers.contains($0) }.max()?.value ?? 0
        let highest = max(last, ids.filter { plan.identifiers.contains($0) }.max()?.value ?? 0)
        for step in 1...plan.capacity {
            let id = VMIdentifier((last + step - 1) % plan.capacity + 1)
            if ids.contains(id) || macs.contains(plan.mac(id)) || addresses.contains(plan.ipv4(id)) { continue }
            if !held.unknown.isEmpty, id.value <= highest { continue }
            try Files.write(layout.allocation, Array("\(id)\n".utf8), mode: 0o644)
            return id
        }
        if let name = held.unknown.first {
            throw DevhostError(
                .insufficientSpace,
                "every id that is left may be that of \(name), whose record \(layout.record(name)) cannot be read",
                next: "mend the record, or take the VM away with 'fc-devhost destroy \(name)'")
        }
        throw DevhostError(
            .insufficientSpace, "all \(plan.capacity) addresses of this devhost are taken",
            next: "destroy VMs that nobody needs")
    }

    /// The id that was given out last; nil where the file is missing or is no number, which costs only the order.
    private func readLast() throws -> UInt32? {
        guard let text = try? Files.readText(layout.allocation, limit: 64) else { return nil }
        return UInt32(text.trimmed).flatMap { $0 <= plan.capacity ? $0 : nil }
    }
}
