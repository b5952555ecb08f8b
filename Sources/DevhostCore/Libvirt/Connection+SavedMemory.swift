import CLibvirt

/// The memory of domains on disk: libvirt's "managed save".
extension Connection {
    /// What became of a domain with memory on disk that was started.
    enum Resumption: Sendable {
        /// It goes on where it was.
        case resumed
        /// libvirt found the memory cut off in the middle of its saving, and booted the domain instead.
        case booted
    }

    /// Writes a domain's memory to disk and ends its process (`virDomainManagedSave`); its next start goes on from
    /// there, running. Where this fails the domain runs on.
    func saveMemory(_ name: VMName) async throws {
        try await changeDomain("virDomainManagedSave", name) { domain in
            if virDomainManagedSave(domain, VIR_DOMAIN_SAVE_RUNNING.rawValue) < 0 {
                let cause = LibvirtError.last()
                // A call that was cut off here goes on in libvirt, and this one came after it.
                if Self.state(of: domain)?.state == .suspended { return }
                throw DevhostError(cause.code, "cannot write the memory of \(name) to disk", underlying: cause)
            }
        }
    }

    /// Starts a domain that has memory on disk (`virDomainCreate`).
    func startFromSavedMemory(_ name: VMName) async throws -> Resumption {
        try await startDomain(name)
        return try await withDomain(name) { domain in
            let found = Self.state(of: domain)
            let isBooted = found?.state == .running && found?.reason == Int32(VIR_DOMAIN_RUNNING_BOOTED.rawValue)
            return isBooted ? .booted : .resumed
        }
    }

    /// Removes the memory that libvirt keeps of a domain (`virDomainManagedSaveRemove`); none is as good.
    func removeSavedMemory(_ name: VMName) async throws {
        guard try await domainState(name) == .suspended else { return }
        try await changeDomain("virDomainManagedSaveRemove", name) {
            try check(virDomainManagedSaveRemove($0, 0), "cannot remove the memory of \(name) that is kept on disk")
        }
    }

    /// Whether libvirt is writing the memory of a domain to disk right now: it is paused meanwhile.
    func isSavingMemory(_ name: VMName) async throws -> Bool {
        try await read { call in
            try optional {
                guard let found = Self.state(of: try Self.domain(call, name)) else { return false }
                return found.state == .paused && found.reason == Int32(VIR_DOMAIN_PAUSED_SAVE.rawValue)
            } ?? false
        }
    }

    /// Sets the clock of a guest through its QEMU guest agent (`virDomainSetTime`).
    /// - Parameters:
    ///   - limit: How many seconds the agent may take (`virDomainAgentSetResponseTimeout`).
    ///   - now: Gives the time when the call is made, in seconds and nanoseconds since 1970.
    /// - Returns: Whether it is set: false where the guest has no agent, or one that does not answer.
    func setGuestClock(
        _ name: VMName, limit: Int32, now: @escaping @Sendable () -> (seconds: Int64, nanoseconds: UInt32)
    ) async throws -> Bool {
        try await changeDomain("virDomainSetTime", name) { domain in
            guard virDomainAgentSetResponseTimeout(domain, limit, 0) >= 0 else { return false }
            let time = now()
            return virDomainSetTime(domain, time.seconds, time.nanoseconds, 0) >= 0
        }
    }
}
