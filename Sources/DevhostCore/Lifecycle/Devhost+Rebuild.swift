extension Devhost {
    /// Gives a VM a fresh disk, and keeps all else: name, id, MAC, addresses, owner, aliases, ssh host key.
    ///
    /// The VM runs on until the image is there. The old disk stays until ssh of the new one answers and comes back where
    /// it does not. After a crash at any point ``ensure(_:progress:)`` completes: with the new disk if its guest had
    /// answered, else with the old one.
    /// - Parameters:
    ///   - release: What the disk is made from; nil for the release that the VM has, with the very same image.
    ///   - startLimit: How long ssh may take to answer; nil for the limit of devhost.cfg.
    /// - Returns: The VM as it is then: it runs, also where it was off before.
    /// - Throws: `notFound`, `permissionDenied` where `[access] destroy` forbids it, `conflict` for
    ///   a VM that has never been up or has snapshots, and what ``ensure(_:progress:)`` throws.
    @discardableResult
    public func rebuild(
        _ name: VMName, release: ReleaseReference? = nil, startLimit: Duration? = nil,
        progress: @escaping ProgressHandler = { _ in }
    ) async throws -> VMDescription {
        try await audited(.rebuild, name, progress: progress) {
            try await renew(name, release: release, startLimit: startLimit, progress: progress)
        }
    }

    private func renew(
        _ name: VMName, release: ReleaseReference?, startLimit: Duration?, progress: @escaping ProgressHandler
    ) async throws -> VMDescription {
        let lock = try await lock(name, verb: "rebuild", progress: progress)
        defer { withExtendedLifetime(lock) {} }
        let existing = try records.require(name)
        try checkMay(.rebuild, name, existing)
        guard !existing.isIncomplete, existing.id != nil, existing.imageHash != nil else {
            throw DevhostError(
                .conflict, "\(name) has never been up: there is nothing to rebuild",
                next: "run 'fc-devhost ensure \(name)'")
        }
        let libvirt = try await self.libvirt()
        var request = EnsureRequest(name: name)
        request.release = release
        request.startLimit = startLimit
        let plan = EnsurePlan(
            request: request, existing: existing, configuration: configuration, caller: caller,
            now: Timestamp(clock.now), isNew: false)
        let run = RebuildRun(steps: EnsureRun(devhost: self, libvirt: libvirt, plan: plan, progress: progress))
        try await run.parts.checkDomainIsOurs()
        let snapshots = try await libvirt.snapshots(name).map(\.name.printable)
        guard snapshots.isEmpty else {
            throw DevhostError(
                .conflict, "the snapshots of \(name) go with its disk: \(snapshots.joined(separator: ", "))",
                next: "remove those that you can do without, with 'fc-devhost snapshot rm'")
        }
        do {
            let finished = try await run.perform(existing)
            await serve(progress: progress)
            return VMDescription(
                record: finished, state: try await libvirt.domainState(name),
                diskAllocation: try await run.parts.diskAllocation(finished.diskNumber))
        } catch {
            throw DevhostError.wrapping(error, "cannot rebuild \(name)")
        }
    }
}
