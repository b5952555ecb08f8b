import CLibvirt

extension Connection {
    /// What a running domain occupies of the host's memory, in bytes (`virDomainMemoryStats`, the resident set of its
    /// process); nil where the hypervisor does not tell.
    func residentMemory(_ name: VMName) async throws -> UInt64? {
        try await withDomain(name) { domain in
            var stats = [virDomainMemoryStatStruct](
                repeating: virDomainMemoryStatStruct(), count: Int(VIR_DOMAIN_MEMORY_STAT_NR.rawValue))
            let count = try check(
                virDomainMemoryStats(domain, &stats, UInt32(stats.count), 0), "cannot ask for the memory of \(name)")
            let resident = stats.prefix(Int(count)).first { $0.tag == Int32(VIR_DOMAIN_MEMORY_STAT_RSS.rawValue) }
            return resident.map { $0.val << 10 }
        }
    }
}
