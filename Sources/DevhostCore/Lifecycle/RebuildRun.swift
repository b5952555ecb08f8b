/// The steps of one `rebuild`, in their order.
///
/// The record decides which disk is the VM's. It names the new one beside the old one before anything is made, and
/// changes over in one write when the guest on the new one answers: a crash before that leaves the old disk to the next
/// `ensure`, one after it the new disk, and the other one is taken away.
struct RebuildRun: Sendable {
    /// The steps that making a VM anew shares with `ensure`.
    let steps: EnsureRun

    private var devhost: Devhost { steps.devhost }
    private var libvirt: Connection { steps.libvirt }
    private var progress: ProgressHandler { steps.progress }
    private var name: VMName { steps.plan.request.name }
    var parts: VMParts { steps.parts }

    /// - Returns: The record as it was saved last.
    func perform(_ existing: VMRecord) async throws -> VMRecord {
        try await HostPreparation(devhost: devhost, libvirt: libvirt).prepare()
        let wasActive = try await libvirt.domainState(name).isActive
        var old = existing
        if old.otherDisk != nil {
            try await parts.removeOtherDisk(of: old)
            old.otherDisk = nil
            try devhost.records.save(old)
        }
        var new = try steps.plan.record()
        new.diskNumber = old.diskNumber &+ 1
        var rebuilt: VMRecord
        do {
            let release = try await release(of: old)
            steps.follow(release, &new)
            new = try await makeDisk(release, old: old, new: new)
            rebuilt = try await changeOver(to: new, from: old)
        } catch {
            let isBack = await bringBack(old, insteadOf: new.diskNumber, wasActive: wasActive)
            guard isBack else { throw error }
            throw DevhostError.wrapping(error, "cannot rebuild it").prefixed("\(name) keeps its old disk")
        }
        try await libvirt.setAutostart(name, true)
        do {
            try await parts.removeOtherDisk(of: rebuilt)
            rebuilt.otherDisk = nil
            try devhost.records.save(rebuilt)
        } catch {
            progress(.warning("the old disk of \(name) is still there, until the next ensure: \(error)"))
        }
        return rebuilt
    }

    private func release(of record: VMRecord) async throws -> ResolvedRelease {
        guard let reference = steps.plan.request.release else { return try devhost.recordedRelease(of: record) }
        return try await devhost.releases.resolve(reference)
    }

    /// Makes the new disk while the VM runs on the old one.
    /// - Returns: The record as it is to be when the guest on the new disk answers.
    private func makeDisk(_ release: ResolvedRelease, old: VMRecord, new: VMRecord) async throws -> VMRecord {
        guard let size = new.diskSize else { return new }
        return try await devhost.imageStore(libvirt, for: "'rebuild \(name)'").withImage(
            ImageSource(url: release.imageURL, releaseName: release.releaseName), expectedHash: release.imageHash,
            progress: progress
        ) { [devhost, libvirt, parts, progress, name] image in
            progress(.step("making the new disk of \(name)"))
            var new = new
            new.take(release, image: image)
            if image.virtualSize > size.bytes { new.diskSize = try DiskSize(bytes: image.virtualSize) }
            var marked = old
            marked.otherDisk = new.diskNumber
            // It counts from now on as what it is to be: others are held to what is left.
            marked.isOnline = new.isOnline
            marked.diskSize = new.diskSize
            try await devhost.claim(new, insteadOf: old, writing: marked, libvirt: libvirt)
            try await parts.makeDisk(new.diskNumber, over: image, size: new.diskSize ?? size)
            return new
        }
    }

    /// Starts the VM from its new disk and waits until its ssh answers.
    private func changeOver(to new: VMRecord, from old: VMRecord) async throws -> VMRecord {
        var record = new
        let hostKey = try await parts.hostKey()
        record.hostKey = hostKey.publicKey
        let guest = steps.guestData(record, bootstrapKey: try await parts.bootstrapKey())
        let definition = try await steps.definition(record)
        try await parts.reserveAddresses(of: record)
        let state = try await libvirt.domainState(name)
        // The old disk comes back where the new one does not boot: its guest ends in order, also one that is suspended.
        if state.isActive || state == .suspended {
            try await parts.shutDown(limit: devhost.configuration.shutdownLimit, progress: progress)
        }
        try await steps.start(record, guest, hostKey, definition, renewsFirstBoot: true)
        record.guestDigest = try guest.digest()
        record.otherDisk = old.diskNumber
        try devhost.records.save(record)
        return record
    }

    /// Puts the VM back on its old disk.
    /// - Returns: Whether it is there, and runs if it ran.
    private func bringBack(_ old: VMRecord, insteadOf other: UInt32, wasActive: Bool) async -> Bool {
        do {
            if try devhost.records.find(name) == old { return true }
            // Before anything else the record: while it may name the new disk, that one has to stay.
            var marked = old
            marked.otherDisk = other
            try devhost.records.save(marked)
            if wasActive {
                try await startAgain(old, marked: marked)
            } else {
                try await parts.removeOtherDisk(of: marked)
                if try await libvirt.domainState(name) != .missing {
                    try await parts.define(try await steps.definition(old))
                }
                try devhost.records.save(old)
            }
            return true
        } catch {
            progress(
                .warning("cannot bring the old disk of \(name) back: \(error); try 'fc-devhost ensure \(name)'"))
            return false
        }
    }

    /// Runs the VM from its old disk again.
    private func startAgain(_ old: VMRecord, marked: VMRecord) async throws {
        progress(.step("bringing the old disk of \(name) back"))
        let plan = EnsurePlan(
            request: EnsureRequest(name: name), existing: marked, configuration: devhost.configuration,
            caller: devhost.caller, now: steps.plan.now, isNew: false)
        do {
            _ = try await EnsureRun(devhost: devhost, libvirt: libvirt, plan: plan, progress: progress).perform(marked)
        } catch let error as DevhostError where error.code == .timedOut || error.code == .guestFailed {
            // The disk is back; that its guest does not answer may be why the VM was to be rebuilt.
            try devhost.records.save(old)
            progress(.warning("\(name) is on its old disk and does not answer there either: \(error.message)"))
        }
    }
}
