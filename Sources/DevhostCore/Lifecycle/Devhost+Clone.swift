extension Devhost {
    /// Makes a VM like another one, with an identity of its own: name, id, MAC, addresses, ssh host key, machine-id. Its
    /// owner is the caller. The disk is copied as it is at one moment; nothing binds the two afterwards.
    ///
    /// After a crash the same call starts anew, and ``destroy(_:progress:)`` takes away what there is.
    /// - Parameters:
    ///   - source: The VM to copy. It may run, and goes on then: its clone starts as after a loss of power at that moment.
    ///   - name: What the clone is called.
    ///   - authorizedKeys: Who may log in to the clone, beside those of devhost.cfg; nil for the keys of the source where
    ///     the caller owns it, and for nobody else's.
    ///   - startLimit: How long ssh may take to answer; nil for the limit of devhost.cfg.
    /// - Throws: `notFound`, `alreadyExists` for a name that is taken, `conflict` for a source that is not in order or a
    ///   name that belongs to something else, and what ``ensure(_:progress:)`` throws.
    @discardableResult
    public func clone(
        _ source: VMName, as name: VMName, authorizedKeys: [AuthorizedKey]? = nil, startLimit: Duration? = nil,
        progress: @escaping ProgressHandler = { _ in }
    ) async throws -> VMDescription {
        try await audited(.clone, source, object: name.description, progress: progress) {
            guard source != name else {
                throw DevhostError(.alreadyExists, "there is a VM \(name)", next: "choose another name for the clone")
            }
            try authorizedKeys.map(AuthorizedKey.check)
            var wish = CloneRun.Wish(source: source, name: name)
            wish.authorizedKeys = authorizedKeys
            wish.startLimit = startLimit
            return try await makeClone(wish, progress: progress)
        }
    }

    private func makeClone(
        _ wish: CloneRun.Wish, progress: @escaping ProgressHandler
    ) async throws -> VMDescription {
        // In one order, or two clones in opposite directions would wait for each other.
        let names = [wish.source, wish.name].sorted()
        var locks: [VMName: FileLock] = [:]
        defer { withExtendedLifetime(locks) {} }
        for name in names { locks[name] = try await lock(name, verb: "clone", progress: progress) }
        let (source, libvirt) = try await settled(wish.source)
        try await checkIsNotSuspended(wish.source, libvirt)
        let parts = VMParts(devhost: self, libvirt: libvirt, name: wish.name)
        try await parts.checkDomainIsOurs()
        try await clear(wish.name, parts)
        let run = try await CloneRun(devhost: self, libvirt: libvirt, wish: wish, source: source, progress: progress)
        let finished: VMRecord
        do {
            let record = try await run.copy()
            // The source is done with: others may go on with it while the clone boots.
            locks[wish.source] = nil
            finished = try await run.bringUp(record)
        } catch {
            await takeAway(wish.name, parts: parts, because: error, progress: progress)
            throw DevhostError.wrapping(error, "cannot clone \(wish.source)").prefixed("cannot clone \(wish.source)")
        }
        // The clone is complete: what fails from here on takes it away no more.
        await serve(progress: progress)
        return VMDescription(
            record: finished, state: try await libvirt.domainState(finished.name),
            diskAllocation: try await parts.diskAllocation(finished.diskNumber))
    }

    /// Sees to it that nothing bears the name of a clone. What an interrupted cloning left is taken away.
    private func clear(_ name: VMName, _ parts: VMParts) async throws {
        if let existing = try records.find(name) {
            guard existing.isIncomplete, let source = existing.cloneOf else {
                throw DevhostError(.alreadyExists, "there is a VM \(name)", next: "choose another name for the clone")
            }
            try checkMay(.destroy, name, existing, doing: "make anew")
            try await parts.endCopy(from: source)
            try await parts.remove()
            try records.remove(name)
            return
        }
        try checkNameIsFree(name)
        guard try await !parts.exist() else {
            throw DevhostError(
                .conflict, "something is left of a VM \(name)", next: "run 'fc-devhost destroy \(name)' first")
        }
    }
}
