import FoundationEssentials

/// Finds out whether KVM works here. A device that can be opened is not enough: inside some virtual machines QEMU
/// cannot set up a processor on it, so a domain is created for a try, once per boot and version of the hypervisor.
struct Accelerators: Sendable {
    let devhost: Devhost
    let libvirt: Connection

    private struct Finding: Codable, Equatable {
        var boot: String
        var version: UInt64
        var works: Bool
    }

    func choose(architecture: String, progress: ProgressHandler) async throws -> DomainDefinition.Accelerator {
        if libvirt.driver == .test { return .test }
        switch devhost.configuration.accelerator {
        case .kvm: return .kvm
        case .tcg: return .qemu
        case .auto: return try await works(architecture: architecture, progress: progress) ? .kvm : .qemu
        }
    }

    private func works(architecture: String, progress: ProgressHandler) async throws -> Bool {
        guard try await libvirt.offers(virtualization: "kvm", architecture: architecture) else { return false }
        let path = devhost.layout.accelerator
        let boot = HostBoot.current
        let version = try await libvirt.hypervisorVersion()
        if let content = try? Files.read(path, limit: 4096),
            let known = try? JSONDecoder().decode(Finding.self, from: Data(content)),
            known.boot == boot, known.version == version
        {
            return known.works
        }
        let failure = try await libvirt.tryTransientDomain(xml: DomainDefinition.probe(architecture: architecture))
        if let failure {
            progress(.warning("KVM does not work here, guests are emulated, which is slow: \(failure)"))
        }
        let finding = Finding(boot: boot, version: version, works: failure == nil)
        try Files.write(path, Array(try JSONEncoder().encode(finding)), mode: 0o644)
        return finding.works
    }
}
