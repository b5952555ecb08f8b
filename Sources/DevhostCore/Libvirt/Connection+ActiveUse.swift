import CLibvirt
import Glibc

extension Connection {
    /// What an active domain takes of the host, whatever is wanted of it.
    struct ActiveUse: Sendable {
        /// In bytes: the most of what it can have without a restart, what its balloon leaves it, and what its process
        /// holds beyond ``ownMemory``. A guest may ignore its balloon, and then keeps what it was given once.
        var memory: UInt64
        var cpus: Int
    }

    /// What the process of a domain needs for itself and is nobody's to save, in bytes.
    static let ownMemory: UInt64 = 512 << 20

    /// What every active domain takes, by its name (`virDomainGetInfo`, which waits for no guest and no other call).
    func activeUses() async throws -> [String: ActiveUse] {
        let isLocal = driver == .qemu
        return try await read { call in
            var uses: [String: ActiveUse] = [:]
            try Self.forEachNamedDomain(call, [VIR_CONNECT_LIST_DOMAINS_ACTIVE]) { domain, name in
                var info = virDomainInfo()
                // One that ends meanwhile is left out.
                guard virDomainGetInfo(domain, &info) == 0 else { return }
                var use = ActiveUse(memory: UInt64(max(info.maxMem, info.memory)) << 10, cpus: Int(info.nrVirtCpu))
                if isLocal, let held = Self.heldMemory(name), held > Self.ownMemory {
                    use.memory = max(use.memory, held - Self.ownMemory)
                }
                uses[name] = use
            }
            return uses
        }
    }

    /// The resident set of a domain's process in bytes, by the file in which libvirt notes its number; nil where there is
    /// none. libvirt itself would tell only when the domain is busy with nothing else.
    private static func heldMemory(_ name: String) -> UInt64? {
        guard let text = try? Files.readText("/run/libvirt/qemu/\(name).pid", limit: 32).trimmed,
            let process = pid_t(text),
            let command = try? Files.readText("/proc/\(process)/comm", limit: 64), command.hasPrefix("qemu"),
            let pages = try? Files.readText("/proc/\(process)/statm", limit: 256).split(separator: " ").dropFirst()
                .first,
            let count = UInt64(pages)
        else { return nil }
        return count * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
