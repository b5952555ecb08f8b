/// Gives out ids. They go round: what was just given back is the last to be given out again, so that a stale
/// ssh_config meets nobody rather than a stranger's VM.
struct Allocation: Sendable {
    let layout: Layout
    let plan: AddressPlan
    let clock: any SystemClock

    /// Takes the next id whose id, MAC and IP address no record holds.
    ///
    /// The records are read before the lock: an id that another process takes meanwhile lies behind the counter, which
    /// is read under the lock.
    /// - Throws: `insufficientSpace` when every id is taken.
    func next(records: [VMRecord], holder: String, limit: Duration) async throws -> VMIdentifier {
        let ids = Set(records.compactMap(\.id))
        let macs = Set(records.compactMap(\.mac))
        let addresses = Set(records.compactMap(\.ipv4))
        let lock = try await FileLock.acquire(layout.allocationLock, holder: holder, limit: limit, clock: clock)
        defer { withExtendedLifetime(lock) {} }
        let last = try readLast() ?? ids.filter { plan.identifiers.contains($0) }.max()?.value ?? 0
        for step in 1...plan.capacity {
            let id = VMIdentifier((last + step - 1) % plan.capacity + 1)
            if ids.contains(id) || macs.contains(plan.mac(id)) || addresses.contains(plan.ipv4(id)) { continue }
            try Files.write(layout.allocation, Array("\(id)\n".utf8), mode: 0o644)
            return id
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
