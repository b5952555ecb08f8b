extension Devhost {
    /// Starts a VM as it was last ensured and waits until its ssh answers.
    /// - Throws: `notFound`, and what ``ensure(_:progress:)`` throws.
    @discardableResult
    public func start(_ name: VMName, progress: @escaping ProgressHandler = { _ in }) async throws -> VMDescription {
        try await audited(.start, name, progress: progress) {
            let lock = try await lock(name, verb: "start", progress: progress)
            defer { withExtendedLifetime(lock) {} }
            return try await startLocked(name, progress: progress)
        }
    }

    private func startLocked(_ name: VMName, progress: @escaping ProgressHandler) async throws -> VMDescription {
        _ = try records.require(name)
        return try await ensureLocked(EnsureRequest(name: name), progress: progress)
    }

    /// Shuts a VM down: asks the guest, and stops it by force when `limit` passes. It stays off when the host starts. One
    /// that is suspended is resumed for it.
    /// - Parameter limit: nil for the one of devhost.cfg.
    /// - Returns: Whether it was on: it ran, or was suspended.
    /// - Throws: `notFound`, `busy`, `unavailable`.
    @discardableResult
    public func shutDown(
        _ name: VMName, limit: Duration? = nil, progress: @escaping ProgressHandler = { _ in }
    ) async throws -> Bool {
        try await shutDown(name, limit: limit, where: { true }, progress: progress) ?? false
    }

    /// - Parameter condition: Asked under the VM's lock whether it is still to be shut down.
    /// - Returns: Whether it was on; nil where the condition did not hold.
    func shutDown(
        _ name: VMName, limit: Duration? = nil, where condition: () throws -> Bool,
        progress: @escaping ProgressHandler
    ) async throws -> Bool? {
        try await audited(.shutdown, name, progress: progress) {
            let lock = try await lock(name, verb: "shutdown", progress: progress)
            defer { withExtendedLifetime(lock) {} }
            return try condition() ? try await shutDownLocked(name, limit: limit, progress: progress) : nil
        }
    }

    private func shutDownLocked(
        _ name: VMName, limit: Duration? = nil, progress: @escaping ProgressHandler
    ) async throws -> Bool {
        var record = try records.require(name)
        let libvirt = try await self.libvirt()
        let parts = VMParts(devhost: self, libvirt: libvirt, name: name)
        try await parts.checkDomainIsOurs()
        let state = try await libvirt.domainState(name)
        if state != .missing { try await libvirt.setAutostart(name, false) }
        let wasOn = state.isActive || state == .suspended
        if wasOn {
            try await parts.shutDown(limit: limit ?? configuration.shutdownLimit, progress: progress)
        }
        if record.isOnline != false {
            record.isOnline = false
            try records.save(record)
        }
        await serve(progress: progress)
        return wasOn
    }

    /// Shuts a VM down and starts it again.
    /// - Throws: What ``shutDown(_:limit:progress:)`` and ``start(_:progress:)`` throw.
    @discardableResult
    public func restart(_ name: VMName, progress: @escaping ProgressHandler = { _ in }) async throws -> VMDescription {
        try await audited(.restart, name, progress: progress) {
            let lock = try await lock(name, verb: "restart", progress: progress)
            defer { withExtendedLifetime(lock) {} }
            _ = try await shutDownLocked(name, progress: progress)
            return try await startLocked(name, progress: progress)
        }
    }

    /// Waits until the ssh of a VM answers, without changing anything.
    /// - Throws: `notFound`, `guestFailed` where it is off or fails, `timedOut`.
    public func wait(
        for name: VMName, limit: Duration? = nil, progress: @escaping ProgressHandler = { _ in }
    ) async throws {
        let record = try records.require(name)
        guard let ipv4 = record.ipv4 else { throw DevhostError(.notFound, "\(name) has no address yet") }
        let libvirt = try await self.libvirt()
        let readiness = Readiness(
            name: name, address: ipv4, consoleLog: layout.consoleLog(name),
            consoleStart: ConsoleMark(layout: layout, name: name).start,
            limit: limit ?? configuration.startLimit, clock: clock, probe: probe,
            state: { try await libvirt.domainState(name) })
        try await readiness.wait(progress: progress)
    }
}
