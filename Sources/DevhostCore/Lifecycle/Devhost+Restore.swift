extension Devhost {
    /// Brings a VM back to a snapshot: its disk, its memory, CPUs and disk size, and what ran goes on where it was, with
    /// the clock put right. What came after the snapshot is gone. Where it cannot be had, a VM that ran goes on as it was.
    /// - Parameter isForced: Whether a VM that runs is given up; without it that is refused.
    /// - Throws: `notFound`, `permissionDenied` where `[access] destroy` forbids it, `conflict` for a VM that runs or is
    ///   not in order, `insufficientSpace` to keep what runs until then, `refused` past a limit, `guestFailed` and `timedOut` as ``ensure(_:progress:)``, `busy`,
    ///   `unavailable`.
    @discardableResult
    public func restore(
        _ reference: SnapshotReference, isForced: Bool = false, progress: @escaping ProgressHandler = { _ in }
    ) async throws -> VMDescription {
        let label = reference.label.description
        return try await audited(.restore, reference.name, object: label, progress: progress) {
            try await bringBack(reference.name, label, isForced: isForced, progress: progress)
        }
    }

    private func bringBack(
        _ name: VMName, _ label: String, isForced: Bool, progress: @escaping ProgressHandler
    ) async throws -> VMDescription {
        let lock = try await lock(name, verb: "restore", progress: progress)
        defer { withExtendedLifetime(lock) {} }
        try checkMay(.restore, name, try records.require(name))
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
        let kept: String?
        do {
            kept = isActive ? try await keepWhatRuns(record, parts, progress: progress) : nil
        } catch {
            try? records.save(record)
            throw DevhostError.wrapping(error, "cannot restore \(name)@\(label)")
        }
        do {
            try await libvirt.killDomain(name)
            // Memory that belongs to another state of the disk would ruin it.
            try await libvirt.removeSavedMemory(name)
            progress(.step("bringing \(name) back to \(label)"))
            try await libvirt.revert(name, to: label)
        } catch {
            try? records.save(record)
            if let kept { await bringBackWhatRan(record, kept, isSuspended, parts, progress: progress) }
            throw DevhostError.wrapping(error, "cannot restore \(name)@\(label)")
        }
        // That of a call which was cut off goes too.
        for made in try await libvirt.snapshots(name) where Self.isKept(made.name) {
            try await forget(made.name, parts, progress: progress)
        }
        try await libvirt.setAutostart(name, snapshot.isRunning)
        if snapshot.isRunning { try await goOn(restored, parts, progress: progress) }
        await serve(progress: progress)
        return VMDescription(
            record: restored, state: try await libvirt.domainState(name),
            diskAllocation: try await parts.diskAllocation(restored.diskNumber))
    }

    /// What the labels of snapshots begin with that keep what ran; the moment follows.
    private static let keptPrefix = "before-restore-"

    private static func isKept(_ label: String) -> Bool {
        label.hasPrefix(keptPrefix)
            && label.dropFirst(keptPrefix.count).utf8.elementsEqual("00000000-000000".utf8) { own, form in
                form == UInt8(ascii: "-") ? own == form : (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(own)
            }
    }

    /// Makes a snapshot of a VM that is to be given up: nobody knows that another can be had before it was.
    /// - Returns: Its label.
    private func keepWhatRuns(
        _ record: VMRecord, _ parts: VMParts, progress: @escaping ProgressHandler
    ) async throws -> String {
        let (name, libvirt) = (record.name, parts.libvirt)
        if try await libvirt.domainState(name) == .suspended { try await parts.resume(progress: progress) }
        let memory = UInt64(record.memory?.mebibytes ?? 0) << 20
        try FreeSpace.require([(layout.state, memory)], for: "what \(name) is until it is restored")
        progress(.step("keeping \(name) as it is, in case it cannot be restored"))
        let label = "\(Self.keptPrefix)\(SnapshotLabel(Timestamp(clock.now)))"
        let note = SnapshotNote(
            memory: record.memory, cpu: record.cpus, diskSize: record.diskSize, guestDigest: record.guestDigest,
            user: caller.name)
        try await libvirt.createSnapshot(name, label: label, note: try note.rendered())
        return label
    }

    /// Has a VM as it was that could not be brought back to a snapshot.
    private func bringBackWhatRan(
        _ record: VMRecord, _ label: String, _ wasSuspended: Bool, _ parts: VMParts,
        progress: @escaping ProgressHandler
    ) async {
        do {
            try await parts.libvirt.killDomain(record.name)
            try await parts.libvirt.revert(record.name, to: label)
            if wasSuspended { try await parts.libvirt.saveMemory(record.name) }
            progress(.notice("\(record.name) is as it was"))
            try await forget(label, parts, progress: progress)
        } catch {
            let kept = "that is kept in its snapshot \(record.name)@\(label)"
            progress(.warning("\(record.name) is not as it was: \(error); \(kept)"))
        }
    }

    /// Removes the snapshot that kept what ran. What fails is a snapshot too many, and no more.
    private func forget(_ label: String, _ parts: VMParts, progress: ProgressHandler) async throws {
        do {
            try await parts.libvirt.deleteSnapshot(parts.name, label: label)
        } catch let error as DevhostError {
            progress(.warning("the snapshot \(parts.name)@\(label) is left over: \(error)"))
        }
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
