extension Devhost {
    /// Makes a snapshot of a VM within its disk: of the disk, and of the memory where it runs. A VM that runs stands
    /// still meanwhile.
    /// - Parameter label: What the VM is to know it by; nil for the moment, to the second.
    /// - Throws: `notFound`, `alreadyExists` for a label that is taken, `conflict` for a VM that is not in order,
    ///   `refused` past a limit, `insufficientSpace`, `busy`, `unavailable`.
    @discardableResult
    public func snapshot(
        _ name: VMName, label: SnapshotLabel? = nil, progress: @escaping ProgressHandler = { _ in }
    ) async throws -> VMSnapshot {
        let label = label ?? SnapshotLabel(Timestamp(clock.now))
        return try await audited(.snapshot, name, object: label.description, progress: progress) {
            try await makeSnapshot(name, label, progress: progress)
        }
    }

    private func makeSnapshot(
        _ name: VMName, _ label: SnapshotLabel, progress: @escaping ProgressHandler
    ) async throws -> VMSnapshot {
        let lock = try await lock(name, verb: "snapshot", progress: progress)
        defer { withExtendedLifetime(lock) {} }
        let (record, libvirt) = try await settled(name)
        try await checkIsNotSuspended(name, libvirt)
        let state = try await libvirt.domainState(name)
        guard state == .running || state == .off else {
            throw DevhostError(
                .conflict, "\(name) is \(state.rawValue), and a snapshot needs one that runs or is off",
                next: "run 'fc-devhost ensure \(name)'")
        }
        let present = try await libvirt.snapshots(name)
        guard !present.contains(where: { $0.name == label.description }) else {
            throw DevhostError(
                .alreadyExists, "\(name) has a snapshot \(label)",
                next: "choose another label, or 'fc-devhost snapshot rm \(name)@\(label)'")
        }
        if let bound = configuration.limits.snapshots, present.count >= bound {
            throw DevhostError(
                .refused, "\(name) has \(present.count) snapshots, and [limits] snapshots allows \(bound)",
                next: "remove one that you can do without, with 'fc-devhost snapshot rm'")
        }
        // A disk that runs full stops the guests: what is written has to fit before it begins.
        let memory = state == .running ? UInt64(try await libvirt.domainInfo(name).maximumMemory) << 20 : 0
        try FreeSpace.require([(layout.state, memory)], for: "a snapshot of \(name)")
        try await checkDisk(of: record, growingBy: memory, libvirt)
        if state == .running { progress(.step("saving the memory of \(name), which stands still meanwhile")) }
        let bytes = try await VMParts(devhost: self, libvirt: libvirt, name: name).diskSize(record.diskNumber)
        let note = SnapshotNote(
            memory: record.memory, cpu: record.cpus, diskSize: try bytes.map { try DiskSize(bytes: $0) },
            guestDigest: record.guestDigest, user: caller.name)
        try await libvirt.createSnapshot(name, label: label.description, note: try note.rendered())
        let made = try await libvirt.snapshots(name).first { $0.name == label.description }
        guard let snapshot = made.flatMap({ VMSnapshot(name, $0) }) else {
            throw DevhostError(.failed, "libvirt does not list the snapshot \(name)@\(label) that it made")
        }
        return snapshot
    }

    /// The disk of a VM with snapshots occupies more than its size: what it occupies counts then.
    /// - Throws: `refused` past a limit.
    private func checkDisk(of record: VMRecord, growingBy bytes: UInt64, _ libvirt: Connection) async throws {
        guard libvirt.driver != .test else { return }
        let uses = try await uses(libvirt)
        guard let present = uses.first(where: { $0.name == record.name }) else { return }
        let parts = VMParts(devhost: self, libvirt: libvirt, name: record.name)
        var grown = present
        grown.disk = max(present.disk, (try await parts.diskAllocation(record.diskNumber) ?? 0) + bytes)
        let limits = UsageLimits(limits: configuration.limits, machineMemory: try await libvirt.node().memory)
        try limits.check(
            grown, insteadOf: present, others: uses.filter { $0.name != record.name }, caller: caller.name)
    }

    /// The snapshots of a VM, the oldest first.
    /// - Throws: `notFound`, `unavailable`.
    public func snapshots(_ name: VMName) async throws -> [VMSnapshot] {
        _ = try records.require(name)
        return try await libvirt().snapshots(name).compactMap { VMSnapshot(name, $0) }
    }

    /// Removes a snapshot.
    /// - Returns: False where there is none of this label, which is no error.
    /// - Throws: `notFound` for the VM, `permissionDenied` where `[access] destroy` forbids it, `busy`, `unavailable`.
    @discardableResult
    public func removeSnapshot(
        _ reference: SnapshotReference, progress: @escaping ProgressHandler = { _ in }
    ) async throws -> Bool {
        let (name, label) = (reference.name, reference.label.description)
        return try await audited(.removeSnapshot, name, object: label, progress: progress) {
            let lock = try await lock(name, verb: "snapshot rm", progress: progress)
            defer { withExtendedLifetime(lock) {} }
            let record = try records.require(name)
            try checkMay(.removeSnapshot, name, record, doing: "remove a snapshot of")
            let libvirt = try await self.libvirt()
            try await VMParts(devhost: self, libvirt: libvirt, name: name).checkDomainIsOurs()
            guard try await libvirt.snapshots(name).contains(where: { $0.name == label }) else { return false }
            try await libvirt.deleteSnapshot(name, label: label)
            return true
        }
    }

    /// The record of a VM that is whole, has a domain of ours, and stands in the middle of nothing.
    /// - Throws: `notFound`, `conflict`.
    func settled(_ name: VMName) async throws -> (record: VMRecord, libvirt: Connection) {
        let record = try records.require(name)
        let libvirt = try await self.libvirt()
        try await VMParts(devhost: self, libvirt: libvirt, name: name).checkDomainIsOurs()
        let isMissing = try await libvirt.domainState(name) == .missing
        guard !record.isIncomplete, record.otherDisk == nil, !isMissing else {
            throw DevhostError(
                .conflict, "\(name) is half made or half rebuilt", next: "run 'fc-devhost ensure \(name)' first")
        }
        return (record, libvirt)
    }

    /// A VM that is suspended has what its guest holds in memory apart from its disk, which alone would be copied.
    /// - Throws: `conflict`.
    func checkIsNotSuspended(_ name: VMName, _ libvirt: Connection) async throws {
        guard try await libvirt.domainState(name) == .suspended else { return }
        throw DevhostError(
            .conflict, "\(name) is suspended: a part of it is in memory that was saved",
            next: "run 'fc-devhost start \(name)' first")
    }
}
