/// A VM whose memory libvirt keeps on disk.
extension VMParts {
    /// How long the writing of a VM's memory that was begun by another call may take.
    private static let savingLimit = Duration.seconds(900)
    /// How many seconds a guest agent may take to answer.
    private static let agentLimit: Int32 = 5

    /// The state of the VM, once its memory is written to disk where that is being done: a `suspend` that was cut off
    /// here goes on in libvirt.
    /// - Throws: `timedOut`.
    func stateAfterSaving(progress: ProgressHandler) async throws -> DomainState {
        let start = devhost.clock.monotonic
        var nextWord = start
        while try await libvirt.isSavingMemory(name) {
            let now = devhost.clock.monotonic
            let elapsed = (now - start).components.seconds
            guard now - start < Self.savingLimit else {
                throw DevhostError(
                    .timedOut, "the memory of \(name) is still being written to disk after \(elapsed) s",
                    next: "try again, or stop that with 'virsh domjobabort \(name)'")
            }
            if now >= nextWord {
                nextWord = now + .seconds(5)
                progress(.step("waiting for the memory of \(name) to be on disk (\(elapsed) s)"))
            }
            try await devhost.clock.sleep(for: .milliseconds(50))
        }
        return try await libvirt.domainState(name)
    }

    /// Lets a suspended VM go on where it was. Memory that cannot be used is removed, and the VM is off then.
    /// - Throws: What keeps it from starting on this host as it is now, `insufficientSpace` where the devhost has not the
    ///   memory for it: what is on disk stays there.
    func resume(progress: ProgressHandler) async throws {
        // A network that does not run would look like memory that cannot be used.
        try await HostPreparation(devhost: devhost, libvirt: libvirt).prepare()
        progress(.step("resuming \(name)"))
        do {
            if try await libvirt.startFromSavedMemory(name) == .booted {
                progress(.warning("the memory of \(name) on disk was incomplete: it boots instead"))
            }
        } catch let error as DevhostError {
            guard let cause = error.underlying as? LibvirtError, error.code != .unavailable,
                try await libvirt.domainState(name) == .suspended
            else { throw error }
            guard !cause.isOfHost else {
                throw DevhostError(
                    error.code, "cannot resume \(name), and its memory stays on disk",
                    next: "put that right and try again, or give the memory up with 'virsh managedsave-remove \(name)'",
                    underlying: cause)
            }
            let needed = try await libvirt.domainInfo(name).memory
            let present = ((try? await libvirt.availableMemory()) ?? .max) >> 20
            guard present >= needed else {
                throw DevhostError(
                    .insufficientSpace, "the devhost has \(present) MiB of memory left, and \(name) needs \(needed)",
                    next: "shut down or suspend what nobody needs, then try again", underlying: cause)
            }
            try await libvirt.removeSavedMemory(name)
            progress(
                .warning("the memory of \(name) on disk cannot be used and was removed, it boots instead: \(cause)"))
        }
    }

    /// Sets the clock of a running guest, which stood still while the VM was suspended: through its agent, and over ssh
    /// where it has none.
    func setClock(of record: VMRecord, progress: ProgressHandler) async throws {
        guard libvirt.driver != .test else { return }
        let clock = devhost.clock
        let isSet = try await libvirt.setGuestClock(name, limit: Self.agentLimit) {
            let time = clock.now.timeIntervalSince1970
            return (Int64(time), UInt32((time - time.rounded(.down)) * 1e9))
        }
        guard !isSet, let ipv4 = record.ipv4, let hostKey = record.hostKey else { return }
        let shell = GuestShell(name: name, address: ipv4, hostKey: hostKey, identity: devhost.layout.bootstrapKey)
        do {
            try await GuestClock(shell: shell, clock: clock).putRight()
        } catch {
            progress(.warning("the clock of \(name) may be wrong: \(error)"))
        }
    }
}
