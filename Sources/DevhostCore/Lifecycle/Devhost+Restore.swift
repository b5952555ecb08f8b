extension Devhost {
    /// Brings a VM back to a snapshot: its disk, its memory, CPUs and disk size, and what ran goes on where it was, with
    /// the clock put right. What came after the snapshot is gone.
    /// - Parameter isForced: Whether a VM that runs is given up; without it that is refused.
    /// - Throws: `notFound`, `permissionDenied` where `[access] destroy` forbids it, `conflict` for a VM that runs or is
    ///   not in order, `refused` past a limit, `guestFailed` and `timedOut` as ``ensure(_:progress:)``, `busy`,
    ///   `unavailable`.
    @discardableResult
    public func restore(
        _ reference: SnapshotReference, isForced: Bool = false, progress: @escaping ProgressHandler = { _ in }
    ) async throws -> VMDescription {
        let label = reference.label.description
        return try await audited("restore", reference.name, object: label, progress: progress) {
            try await bringBack(reference.name, label, isForced: isForced, progress: progress)
        }
    }

    private func bringBack(
        _ name: VMName, _ label: String, isForced: Bool, progress: @escaping ProgressHandler
    ) async throws -> VMDescription {
        let lock = try await lock(name, verb: "restore", progress: progress)
        defer { withExtendedLifetime(lock) {} }
        try checkMayDestroy(name, try records.require(name), verb: "restore")
        let (record, libvirt) = try await settled(name)
        let parts = VMParts(devhost: self, libvirt: libvirt, name: name)
        guard let snapshot = try await libvirt.snapshots(name).first(where: { $0.name == label }) else {
            throw DevhostError(
                .notFound, "\(name) has no snapshot \(label)", next: "see 'fc-devhost snapshots \(name)'")
        }
        guard let note = SnapshotNote.parse(snapshot.note), snapshot.isInternal else {
            throw DevhostError(
                .conflict, "fc-devhost did not make the snapshot \(label) of \(name)",
                next: "see 'virsh snapshot-revert'")
        }
        let state = try await parts.stateAfterSaving(progress: progress)
        let isSuspended = state == .suspended
        let isActive = state.isActive || isSuspended
        guard isForced || !isActive else {
            throw DevhostError(
                .conflict,
                "\(name) \(isSuspended ? "is suspended" : "runs"), and what it has done since the snapshot would be lost",
                next: "make a snapshot of it and shut it down first, or say --force")
        }
        let restored = note.applied(to: record, isRunning: snapshot.isRunning)
        try await HostPreparation(devhost: self, libvirt: libvirt).prepare()
        try await claim(restored, insteadOf: record, libvirt: libvirt)
        do {
            try await libvirt.killDomain(name)
            // Memory that belongs to another state of the disk would ruin it.
            try await libvirt.removeSavedMemory(name)
            progress(.step("bringing \(name) back to \(label)"))
            try await libvirt.revert(name, to: label)
        } catch {
            try? records.save(record)
            throw DevhostError.wrapping(error, "cannot restore \(name)@\(label)")
        }
        try await libvirt.setAutostart(name, snapshot.isRunning)
        if snapshot.isRunning { try await goOn(restored, parts, progress: progress) }
        await serve(progress: progress)
        return VMDescription(
            record: restored, state: try await libvirt.domainState(name),
            diskAllocation: try await parts.diskAllocation(restored.diskNumber))
    }

    /// Waits until a guest that goes on where it was answers, and puts its clock right.
    private func goOn(_ record: VMRecord, _ parts: VMParts, progress: @escaping ProgressHandler) async throws {
        guard let ipv4 = record.ipv4 else { return }
        let (name, libvirt) = (record.name, parts.libvirt)
        try await parts.publishNames(ipv4: ipv4, ipv6: record.ipv6)
        let console = (try? Files.size(layout.consoleLog(name))) ?? 0
        let readiness = Readiness(
            name: name, address: ipv4, consoleLog: layout.consoleLog(name), consoleStart: console,
            limit: configuration.startLimit, clock: clock, probe: probe,
            state: { try await libvirt.domainState(name) })
        try await readiness.wait(progress: progress)
        try await parts.setClock(of: record, progress: progress)
    }
}
