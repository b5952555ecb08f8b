import FoundationEssentials

/// Finds out which weights this host can hold VMs to: a domain that asks for what the host's cgroups lack does not
/// start, so one is created for a try, once per boot and version of the hypervisor.
struct HostWeights: Sendable {
    let devhost: Devhost
    let libvirt: Connection

    private struct Finding: Codable {
        var boot: String
        var version: UInt64
        var weights: ResourceWeights
    }

    func find(
        _ accelerator: DomainDefinition.Accelerator, architecture: String, progress: ProgressHandler
    ) async throws -> ResourceWeights {
        if libvirt.driver == .test { return .none }
        let path = devhost.layout.weights
        let boot = HostBoot.current
        let version = try await libvirt.hypervisorVersion()
        if let content = try? Files.read(path, limit: 4096),
            let known = try? JSONDecoder().decode(Finding.self, from: Data(content)),
            known.boot == boot, known.version == version
        {
            return known.weights
        }
        var weights = ResourceWeights.none
        for (key, what) in [(\ResourceWeights.hasCPU, "processors"), (\.hasDisk, "disks")] {
            var wanted = ResourceWeights.none
            wanted[keyPath: key] = true
            let failure = try await libvirt.tryTransientDomain(
                xml: DomainDefinition.probe(
                    "weights", accelerator: accelerator, architecture: architecture, weights: wanted))
            weights[keyPath: key] = failure == nil
            if let failure { progress(.warning("VMs cannot be given even shares of the \(what) here: \(failure)")) }
        }
        let finding = Finding(boot: boot, version: version, weights: weights)
        try Files.write(path, Array(try JSONEncoder().encode(finding)), mode: 0o644)
        return weights
    }
}
