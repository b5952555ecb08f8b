/// Finds out which weights this host can hold VMs to: a domain that asks for what the host's cgroups lack does not
/// start, so one is created for a try, once per boot and version of the hypervisor.
struct HostWeights: Sendable {
    let devhost: Devhost
    let libvirt: Connection

    func find(
        _ accelerator: DomainDefinition.Accelerator, architecture: String, progress: ProgressHandler
    ) async throws -> ResourceWeights {
        if libvirt.driver == .test { return .none }
        return try await HostTrial(devhost: devhost, libvirt: libvirt, path: devhost.layout.weights).result {
            var weights = ResourceWeights.none
            for (key, what) in [(\ResourceWeights.hasCPU, "processors"), (\.hasDisk, "disks")] {
                var wanted = ResourceWeights.none
                wanted[keyPath: key] = true
                let failure = try await libvirt.tryTransientDomain(
                    xml: DomainDefinition.probe(
                        "weights", accelerator: accelerator, architecture: architecture, weights: wanted))
                weights[keyPath: key] = failure == nil
                if let failure {
                    progress(.warning("VMs cannot be given even shares of the \(what) here: \(failure)"))
                }
            }
            return weights
        }
    }
}
