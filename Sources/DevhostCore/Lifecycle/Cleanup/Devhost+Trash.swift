extension Devhost {
    /// Puts a VM into the trash: it is shut down and nobody reaches it any more, while name, id, addresses and disk are
    /// held for it, so that ``restoreFromTrash(_:progress:)`` has it back. Clean-up destroys it after a while.
    ///
    /// After a crash at any point the same call completes. On a VM in the trash it does what is missing.
    /// - Returns: False where there was nothing to put there: no such VM, or it lies there already.
    /// - Throws: `permissionDenied` where `[access] destroy` forbids it, `conflict` for a VM that has never been up or a domain
    ///   that somebody else made, `busy`, `unavailable`.
    @discardableResult
    public func moveToTrash(_ name: VMName, progress: @escaping ProgressHandler = { _ in }) async throws -> Bool {
        let mayDestroy = { (record: VMRecord) in
            try checkMay(.trash, name, record, doing: "destroy")
            return true
        }
        return try await moveToTrash(name, where: mayDestroy, progress: progress)
    }

    /// - Parameter condition: Asked under the VM's lock whether it is still to go.
    func moveToTrash(
        _ name: VMName, where condition: (VMRecord) throws -> Bool, progress: @escaping ProgressHandler
    ) async throws -> Bool {
        try await audited(.trash, name, progress: progress) {
            try await putIntoTrash(name, where: condition, progress: progress)
        }
    }

    private func putIntoTrash(
        _ name: VMName, where condition: (VMRecord) throws -> Bool, progress: @escaping ProgressHandler
    ) async throws -> Bool {
        let lock = try await lock(name, verb: "destroy --trash", progress: progress)
        defer { withExtendedLifetime(lock) {} }
        guard var record = try records.find(name), try condition(record) else { return false }
        guard !record.isIncomplete else {
            throw DevhostError(
                .conflict, "\(name) has never been up: there is nothing to keep",
                next: "run 'fc-devhost destroy \(name)'"
            )
        }
        let libvirt = try await self.libvirt()
        let parts = VMParts(devhost: self, libvirt: libvirt, name: name)
        try await parts.checkDomainIsOurs()
        let isNew = record.trashed == nil
        if isNew {
            progress(.step("putting \(name) into the trash"))
            try useStore.forgetTrash(of: name)
            record.trashed = Timestamp(clock.now)
            record.isOnline = false
            try records.save(record)
        }
        try withdrawNames(of: name)
        let state = try await libvirt.domainState(name)
        if state != .missing { try await libvirt.setAutostart(name, false) }
        if state.isActive { try await parts.shutDown(limit: configuration.shutdownLimit, progress: progress) }
        try await parts.withdrawNames()
        try useStore.removeNotice(name)
        if isNew { await serve(progress: progress) }
        return isNew
    }

    /// Has a VM back from the trash, with everything it had. It is off, or suspended if it was.
    ///
    /// After a crash at any point the same call completes, and so does ``ensure(_:progress:)``.
    /// - Returns: False where the VM is not in the trash, which is no error.
    /// - Throws: `notFound`, `busy`, `unavailable`.
    @discardableResult
    public func restoreFromTrash(_ name: VMName, progress: @escaping ProgressHandler = { _ in }) async throws -> Bool {
        try await audited(.undelete, name, progress: progress) { try await takeFromTrash(name, progress: progress) }
    }

    private func takeFromTrash(_ name: VMName, progress: @escaping ProgressHandler) async throws -> Bool {
        let lock = try await lock(name, verb: "undelete", progress: progress)
        defer { withExtendedLifetime(lock) {} }
        guard var record = try records.find(name) else {
            throw DevhostError(
                .notFound, "there is no VM \(name), and none of that name in the trash",
                next: "see 'fc-devhost ls --trash'")
        }
        let wasTrashed = record.trashed != nil
        let libvirt = try await self.libvirt()
        try await HostPreparation(devhost: self, libvirt: libvirt).prepare()
        let parts = VMParts(devhost: self, libvirt: libvirt, name: name)
        if wasTrashed {
            // What a move to the trash that was cut off did not come to.
            if try await libvirt.domainState(name).isActive {
                try await parts.shutDown(limit: configuration.shutdownLimit, progress: progress)
            }
            if try await libvirt.domainState(name) != .missing { try await libvirt.setAutostart(name, false) }
            try useStore.leave(.undelete, of: name, Timestamp(clock.now))
            record.trashed = nil
            record.isOnline = false
            try records.save(record)
        }
        try await parts.reserveAddresses(of: record)
        if let ipv4 = record.ipv4 { try await parts.publishNames(ipv4: ipv4, ipv6: record.ipv6) }
        try publishNames(of: record)
        await serve(progress: progress)
        return wasTrashed
    }
}
