extension Devhost {
    /// The domain that a VM with this record is to be on this host.
    /// - Throws: `damaged` for a record that lacks what only the devhost gives.
    func definition(
        of record: VMRecord, _ libvirt: Connection, progress: ProgressHandler
    ) async throws -> DomainDefinition {
        let name = record.name
        guard let id = record.id, let mac = record.mac, let ipv4 = record.ipv4, let ipv6 = record.ipv6,
            let memory = record.memory, let cpus = record.cpus, let imageHash = record.imageHash
        else { throw DevhostError(.damaged, "the record of \(name) lacks its identity") }
        let node = try await libvirt.node()
        let accelerators = Accelerators(devhost: self, libvirt: libvirt)
        let accelerator = try await accelerators.choose(architecture: node.architecture, progress: progress)
        let weights = try await HostWeights(devhost: self, libvirt: libvirt).find(
            accelerator, architecture: node.architecture, progress: progress)
        let parts = VMParts(devhost: self, libvirt: libvirt, name: name)
        return DomainDefinition(
            name: name.description, uuid: try SHA256Hasher.digest(Array("\(name) \(id)".utf8)).uuid,
            accelerator: accelerator, architecture: node.architecture, memory: memory, cpus: cpus,
            maximumCPUs: max(cpus.value, min(node.cpus, 16)), diskPath: parts.diskPath(record.diskNumber),
            baseImagePath: "\(layout.images)/\(imageHash).qcow2",
            firstBootPath: parts.firstBootPath, consoleLogPath: layout.consoleLog(name),
            network: configuration.network.name, filter: configuration.network.name, mac: mac,
            ipv4: ipv4, ipv6: ipv6, weights: weights)
    }
}
