import CLibvirt
import Glibc

extension Connection {
    /// Starts a domain that is off without letting its guest do anything, so that its disk can be copied
    /// (`virDomainCreateWithFlags`, paused, auto-destroyed): it is off again when this process ends, however that ends.
    func startDomainForCopy(_ name: VMName) async throws {
        try await changeDomain("virDomainCreateWithFlags", name) { domain in
            let flags = VIR_DOMAIN_START_PAUSED.rawValue | VIR_DOMAIN_START_AUTODESTROY.rawValue
            try check(virDomainCreateWithFlags(domain, flags), "cannot open the disk of \(name)")
        }
    }

    /// Copies the disk of an active domain, as it is when `finish` has returned, into an overlay that exists and lies
    /// over the same base image (`virDomainBlockCopy`, shallow; `virDomainBlockJobAbort` ends it). The domain goes on.
    /// - Parameters:
    ///   - target: The disk's name within the domain.
    ///   - xml: The disk to copy to.
    ///   - progress: Told how many bytes of how many are copied.
    ///   - finish: Called when the copy has caught up, right before it is cut off.
    func copyDisk(
        of name: VMName, target: String, to xml: String, clock: any SystemClock,
        progress: (UInt64, UInt64) -> Void, finish: () async -> Void
    ) async throws {
        try await changeDomain("virDomainBlockCopy", name) { domain in
            let flags =
                VIR_DOMAIN_BLOCK_COPY_SHALLOW.rawValue | VIR_DOMAIN_BLOCK_COPY_REUSE_EXT.rawValue
                | VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB.rawValue
            try check(virDomainBlockCopy(domain, target, xml, nil, 0, flags), "cannot copy the disk of \(name)")
        }
        do {
            while true {
                let job = try await copyJob(name, target: target)
                guard let job else {
                    throw DevhostError(.failed, "the copy of the disk of \(name) ended before it was complete")
                }
                progress(job.done, job.total)
                // libvirt makes both the same only when the copy has caught up (virDomainGetBlockJobInfo).
                if job.done == job.total { break }
                try await clock.sleep(for: .milliseconds(100))
            }
        } catch {
            try? await endCopy(of: name, target: target)
            throw error
        }
        await finish()
        try await endCopy(of: name, target: target)
    }

    /// Ends the copy of a disk where one is under way; the domain stays on its own disk.
    func endCopy(of name: VMName, target: String) async throws {
        guard try await copyJob(name, target: target) != nil else { return }
        try await changeDomain("virDomainBlockJobAbort", name) { domain in
            try check(virDomainBlockJobAbort(domain, target, 0), "cannot end the copy of the disk of \(name)")
        }
    }

    /// How far the copy of a disk is (`virDomainGetBlockJobInfo`); nil where none is under way.
    private func copyJob(_ name: VMName, target: String) async throws -> (done: UInt64, total: UInt64)? {
        try await withDomain(name) { domain in
            var info = virDomainBlockJobInfo()
            let status = try check(
                virDomainGetBlockJobInfo(domain, target, &info, 0), "cannot ask for the copy of the disk of \(name)")
            guard status == 1, info.type == Int32(VIR_DOMAIN_BLOCK_JOB_TYPE_COPY.rawValue) else { return nil }
            return (info.cur, info.end)
        }
    }
}
