extension Devhost {
    /// Takes a VM away: what runs, its disk, its names, its record. Works from any part of a VM that is left, and on one
    /// in the trash.
    ///
    /// When it returns, name, addresses and disk are free.
    /// - Returns: False where nothing bore the name, which is no error.
    /// - Throws: `conflict` for a domain that somebody else made, `permissionDenied` where `[access] destroy` forbids
    ///   it, `busy`, `unavailable`.
    @discardableResult
    public func destroy(_ name: VMName, progress: @escaping ProgressHandler = { _ in }) async throws -> Bool {
        try await destroy(name, where: nil, progress: progress)
    }

    /// - Parameter condition: Asked under the VM's lock whether it is still to go, where clean-up and not the caller has
    ///   decided so; nil asks whether the caller may.
    func destroy(
        _ name: VMName, where condition: (() throws -> Bool)?, progress: @escaping ProgressHandler
    ) async throws -> Bool {
        try await audited(.destroy, name, progress: progress) {
            try await takeAway(name, where: condition, progress: progress)
        }
    }

    private func takeAway(
        _ name: VMName, where condition: (() throws -> Bool)?, progress: @escaping ProgressHandler
    ) async throws -> Bool {
        let lock = try await lock(name, verb: "destroy", progress: progress)
        defer { withExtendedLifetime(lock) {} }
        if let condition, try !condition() { return false }
        let libvirt = try await self.libvirt()
        let parts = VMParts(devhost: self, libvirt: libvirt, name: name)
        try await parts.checkDomainIsOurs()
        let hasRecord = Files.exists(layout.record(name))
        let hasParts = try await parts.exist()
        if hasRecord || hasParts {
            if condition == nil { try checkMay(.destroy, name, try? records.find(name)) }
            progress(.step("destroying \(name)"))
            try markAsGoing(name)
            if let source = (try? records.find(name))?.cloneOf { try await parts.endCopy(from: source) }
            try await parts.remove()
            if let record = try? records.find(name) { try await parts.releaseAddresses(of: record) }
            try records.remove(name)
            await serve(progress: progress)
        }
        // After the record: what was seen of a VM in the trash says when it is gone, until it is.
        try useStore.remove(name)
        try forgetFailure(of: name)
        return hasRecord || hasParts
    }

    /// Lets a VM count as one that was never made: an `ensure` after a crash makes it anew instead of missing its disk.
    private func markAsGoing(_ name: VMName) throws {
        guard var record = try? records.find(name), !record.isIncomplete else { return }
        record.isIncomplete = true
        do {
            try records.save(record)
        } catch let error as DevhostError where error.code == .insufficientSpace {
            // To destroy must always be possible, above all on a full disk.
        }
    }
}
