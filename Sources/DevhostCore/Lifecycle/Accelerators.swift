/// Finds out whether KVM works here. A device that can be opened is not enough: inside some virtual machines QEMU
/// cannot set up a processor on it, so a domain is created for a try, once per boot and version of the hypervisor.
struct Accelerators: Sendable {
    let devhost: Devhost
    let libvirt: Connection

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
        let trial = HostTrial(devhost: devhost, libvirt: libvirt, path: devhost.layout.accelerator)
        return try await trial.result {
            let failure = try await libvirt.tryTransientDomain(xml: DomainDefinition.probe(architecture: architecture))
            if let failure {
                progress(.warning("KVM does not work here, guests are emulated, which is slow: \(failure)"))
            }
            return failure == nil
        }
    }
}
