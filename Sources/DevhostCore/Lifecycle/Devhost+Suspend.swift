extension Devhost {
    /// Keeps the memory of a VM on disk and frees it on the devhost. ``start(_:progress:)`` and ``ensure(_:progress:)``
    /// let the VM go on where it was, with its clock right, also after a reboot of the host, which does not start it.
    /// - Returns: Whether it ran.
    /// - Throws: `notFound`, `conflict` for a VM that is half made or not in a state to be kept, `insufficientSpace`,
    ///   `busy`, `unavailable`. Where it fails the VM runs on.
    @discardableResult
    public func suspend(_ name: VMName, progress: @escaping ProgressHandler = { _ in }) async throws -> Bool {
        try await suspend(name, where: { true }, progress: progress) ?? false
    }

    /// - Parameter condition: Asked under the VM's lock whether it is still to be suspended.
    /// - Returns: Whether it ran; nil where the condition did not hold.
    func suspend(
        _ name: VMName, where condition: () throws -> Bool, progress: @escaping ProgressHandler
    ) async throws -> Bool? {
        try await audited(.suspend, name, progress: progress) {
            let lock = try await lock(name, verb: "suspend", progress: progress)
            defer { withExtendedLifetime(lock) {} }
            return try condition() ? try await keepMemory(of: name, progress: progress) : nil
        }
    }

    private func keepMemory(of name: VMName, progress: @escaping ProgressHandler) async throws -> Bool {
        let record = try records.require(name)
        guard !record.isIncomplete, record.otherDisk == nil else {
            throw DevhostError(
                .conflict, "cannot suspend \(name): an ensure or rebuild of it was cut off",
                next: "run 'fc-devhost ensure \(name)' first")
        }
        let libvirt = try await self.libvirt()
        let parts = VMParts(devhost: self, libvirt: libvirt, name: name)
        try await parts.checkDomainIsOurs()
        let state = try await parts.stateAfterSaving(progress: progress)
        switch state {
        case .missing, .off: return false
        case .suspended: break
        case .running, .paused: try await checkRoomForMemory(name, libvirt)
        case .shuttingDown, .crashed, .asleep:
            throw DevhostError(
                .conflict, "cannot suspend \(name): it is \(state.rawValue)",
                next: "run 'fc-devhost ensure \(name)' first")
        }
        // Before its memory goes: whoever starts the VM sees here that its clock stood still.
        try await libvirt.setAutostart(name, false)
        var marked = record
        marked.isOnline = false
        if marked != record { try records.save(marked) }
        if state != .suspended {
            progress(.step("writing the memory of \(name) to disk"))
            do {
                try await libvirt.saveMemory(name)
            } catch {
                await runOn(record, libvirt, progress)
                throw error
            }
        }
        await serve(progress: progress)
        return state != .suspended
    }

    /// Puts back what was noted before a VM was to be suspended.
    private func runOn(_ record: VMRecord, _ libvirt: Connection, _ progress: ProgressHandler) async {
        do {
            guard record.isOnline != false, try await libvirt.domainState(record.name).isActive else { return }
            try records.save(record)
            try await libvirt.setAutostart(record.name, true)
        } catch {
            progress(.warning("\(record.name) runs, and does not start with the host any more: \(error)"))
        }
    }

    /// - Throws: `insufficientSpace` where all of the VM's memory would not fit on the disk beside what is kept free there:
    ///   whatever else writes there would fail with it.
    private func checkRoomForMemory(_ name: VMName, _ libvirt: Connection) async throws {
        guard libvirt.driver != .test, Files.isDirectory(Layout.savedMemory) else { return }
        // A guest may hold more than its balloon leaves it.
        let needed = UInt64(try await libvirt.domainInfo(name).maximumMemory) << 20
        try FreeSpace.require([(Layout.savedMemory, needed)], for: "the memory of \(name)")
    }
}
