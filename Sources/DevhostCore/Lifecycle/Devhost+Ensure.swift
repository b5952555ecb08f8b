extension Devhost {
    /// Sees to it that a VM exists, is as asked for, runs, and answers ssh.
    ///
    /// Each step looks first and does only what is missing: after a crash at any point the same call completes. A VM
    /// that is new and fails is taken away whole, with its console log kept for ``logs``; one that was ever started is
    /// never destroyed.
    /// - Returns: The VM as it is then.
    /// - Throws: `invalidArgument`, `refused` (a smaller disk, an image, a limit), `conflict` (the name belongs to something
    ///   else, to a VM in the trash, or to one whose record is lost), `damaged` (its disk is lost), `busy`, `unavailable`
    ///   (libvirt), `insufficientSpace`, `guestFailed`, `timedOut` (both with the tail of the console).
    @discardableResult
    public func ensure(
        _ request: EnsureRequest, progress: @escaping ProgressHandler = { _ in }
    ) async throws -> VMDescription {
        try await audited(.ensure, request.name, progress: progress) {
            let lock = try await lock(request.name, verb: "ensure", progress: progress)
            defer { withExtendedLifetime(lock) {} }
            return try await ensureLocked(request, progress: progress)
        }
    }

    /// What ``ensure(_:progress:)`` does under the lock of the VM.
    func ensureLocked(_ request: EnsureRequest, progress: @escaping ProgressHandler) async throws -> VMDescription {
        let existing = try records.find(request.name)
        if let existing { try RecordStore.checkIsNotTrashed(existing) }
        if let source = existing?.cloneOf {
            throw DevhostError(
                .conflict, "\(request.name) is a clone of \(source) that was cut off, and is not itself yet",
                next: "run 'fc-devhost clone \(source) \(request.name)' again, or destroy it")
        }
        let plan = EnsurePlan(
            request: request, existing: existing, configuration: configuration, caller: caller,
            now: Timestamp(clock.now), isNew: try await isNew(existing))
        let record = try plan.record()
        if existing == nil { try checkNameIsFree(request.name) }
        let libvirt = try await self.libvirt()
        let run = EnsureRun(devhost: self, libvirt: libvirt, plan: plan, progress: progress)
        // Before anything that would be undone: what is not ours is not ours to take away either.
        try await run.parts.checkDomainIsOurs()
        if existing == nil { try await checkNothingIsLeft(run.parts) }
        let outcome: EnsureRun.Outcome
        do {
            outcome = try await run.perform(record)
        } catch {
            if plan.isNew { await takeAway(request.name, parts: run.parts, because: error, progress: progress) }
            throw DevhostError.wrapping(error, "cannot ensure \(request.name)")
        }
        // The VM is complete: what fails from here on takes it away no more.
        let finished = outcome.record
        tellNotices(of: finished, progress: progress)
        return VMDescription(
            record: finished, state: try await libvirt.domainState(finished.name),
            diskAllocation: try await run.parts.diskAllocation(finished.diskNumber), start: outcome.start)
    }

    /// Whether a VM has never been started: somebody may have worked in one that was, although the command that made it
    /// was killed.
    private func isNew(_ existing: VMRecord?) async throws -> Bool {
        guard let existing else { return true }
        guard existing.isIncomplete else { return false }
        let mark = ConsoleMark(layout: layout, name: existing.name)
        if mark.isUnstarted || mark.isStarted { return mark.isUnstarted }
        // Versions before 0.2 noted only a start. Without either note, a VM counts as new that is off, has said nothing, and
        // whose disk holds nothing.
        let libvirt = try await self.libvirt()
        guard try await !libvirt.domainState(existing.name).isActive, mark.end == 0 else { return false }
        let parts = VMParts(devhost: self, libvirt: libvirt, name: existing.name)
        let written = try await parts.diskAllocation(existing.diskNumber) ?? 0
        return libvirt.driver == .test || written <= Self.emptyDisk
    }

    /// The most that a disk takes on the devhost of which nothing was written, in bytes.
    private static let emptyDisk: UInt64 = 1 << 20

    /// The record is the first of a VM to be made and the last to go: what is here without one is somebody's work.
    private func checkNothingIsLeft(_ parts: VMParts) async throws {
        guard try await parts.hasDomainOrVolumes() else { return }
        throw DevhostError(
            .conflict, "\(parts.name) has a disk or a domain on this devhost, and its record is lost",
            next: "bring \(layout.record(parts.name)) back from a backup, or take away what is left with 'fc-devhost "
                + "destroy \(parts.name)'")
    }

    /// Names that mean another machine on this one.
    func checkNameIsFree(_ name: VMName) throws {
        let taken = ["localhost", HostName.current].contains(name.description)
        guard !taken, try !hostsFile.isTaken(name) else {
            throw DevhostError(
                .conflict, "the name \(name) belongs to another machine on this devhost", next: "choose another name")
        }
    }

    /// Undoes the creation of a VM, keeping its console and the reason.
    func takeAway(
        _ name: VMName, parts: VMParts, because reason: any Error, progress: ProgressHandler
    ) async {
        do {
            try keepFailure(of: name, because: reason)
        } catch {
            progress(.warning("cannot keep the console of \(name): \(error)"))
        }
        do {
            try await parts.remove()
            try records.remove(name)
            try useStore.remove(name)
        } catch {
            progress(.warning("cannot take \(name) away again: \(error); try 'fc-devhost destroy \(name)'"))
        }
    }
}
