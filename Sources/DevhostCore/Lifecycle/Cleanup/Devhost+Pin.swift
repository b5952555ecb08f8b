extension Devhost {
    /// Lets clean-up leave a VM alone, whether somebody uses it or not.
    /// - Throws: `notFound`, `conflict` for a VM in the trash, `invalidArgument` for a moment that has passed, `busy`,
    ///   `permissionDenied` where a pin would end earlier than it does and ``unpin(_:progress:)`` is forbidden.
    public func pin(_ name: VMName, _ pin: Pin, progress: @escaping ProgressHandler = { _ in }) async throws {
        try await audited(.pin, name, object: pin.until, progress: progress) {
            guard pin.holds(at: Timestamp(clock.now)) else {
                throw DevhostError(
                    .invalidArgument, "cannot pin \(name) until a moment that has passed", next: "name a later date")
            }
            try await setPin(pin, of: name, verb: .pin, progress: progress)
        }
    }

    /// Takes the pin of a VM back; one that has none is as good.
    /// - Returns: Whether it had one.
    /// - Throws: `notFound`, `conflict` for a VM in the trash, `busy`, `permissionDenied` where `[access] destroy`
    ///   forbids it: without a pin clean-up may take the VM.
    @discardableResult
    public func unpin(_ name: VMName, progress: @escaping ProgressHandler = { _ in }) async throws -> Bool {
        try await audited(.unpin, name, progress: progress) {
            try await setPin(nil, of: name, verb: .unpin, progress: progress)
        }
    }

    @discardableResult
    private func setPin(_ pin: Pin?, of name: VMName, verb: Verb, progress: ProgressHandler) async throws -> Bool {
        let lock = try await lock(name, verb: verb.rawValue, progress: progress)
        defer { withExtendedLifetime(lock) {} }
        var record = try records.require(name)
        guard record.pin != pin else { return false }
        let now = Timestamp(clock.now)
        if let present = record.pin, present.holds(at: now), pin.map({ $0.ends(before: present) }) ?? true {
            try checkMay(.unpin, name, record, doing: verb == .pin ? "shorten the pin of" : nil)
        }
        record.pin = pin
        try records.save(record)
        // Whoever pins a VM has read it.
        if pin != nil { try useStore.removeNotice(name) }
        return true
    }
}
