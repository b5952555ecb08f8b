/// Whether what templates were made on is what this host is now.
struct TemplateHost: Sendable {
    let devhost: Devhost
    let libvirt: Connection

    /// A machine of this shape as this host makes it.
    /// - Parameter name: Only for messages and paths, which do not count.
    func machine(
        _ shape: MachineShape, over image: SHA256Digest, progress: ProgressHandler
    ) async throws -> DomainDefinition {
        var record = VMRecord(name: try VMName("template"))
        record.id = VMIdentifier(0)
        // No VM has these: ids end long before, and a machine that is none is given no address that it may use.
        record.mac = MACAddress(bits: AddressPlan.gatewayMAC.bits - 1)
        record.ipv4 = devhost.plan.dynamicRange.upperBound
        record.ipv6 = devhost.plan.ipv6(MACAddress(bits: AddressPlan.gatewayMAC.bits - 1))
        record.cpus = shape.cpus
        record.memory = shape.memory
        record.imageHash = image
        return try await devhost.definition(of: record, libvirt, progress: progress)
    }

    /// What the memory of a machine depends on here.
    func description(of machine: DomainDefinition) async throws -> TemplateRecord.Host {
        try await properties().description(of: machine)
    }

    /// What the memory of any machine depends on here.
    struct Properties: Sendable {
        let hypervisor: UInt64
        let libvirt: UInt64
        let processor: SHA256Digest
        /// All the memory of the host, in bytes.
        let memory: UInt64

        func description(of machine: DomainDefinition) throws -> TemplateRecord.Host {
            TemplateRecord.Host(
                machine: try machine.machineDigest(), hypervisor: hypervisor, libvirt: libvirt, processor: processor)
        }
    }

    /// Asks libvirt, which takes it a while to describe the processor.
    func properties() async throws -> Properties {
        Properties(
            hypervisor: try await libvirt.hypervisorVersion(), libvirt: try await libvirt.libraryVersion(),
            processor: try SHA256Hasher.digest(Array(try await libvirt.processorDescription().utf8)),
            memory: try await libvirt.node().memory)
    }

    /// Why a template cannot be used here; nil where it can as far as can be seen without reading it whole.
    /// - Parameter machine: A machine of its shape as this host makes it.
    func problem(
        of key: String, _ record: TemplateRecord, on properties: Properties, as machine: DomainDefinition
    ) throws -> String? {
        guard UInt64(record.memory.mebibytes) << 20 < properties.memory else {
            return "its VMs have \(record.memory) of memory, and the host has \(properties.memory >> 20) MiB"
        }
        if let difference = record.host.difference(from: try properties.description(of: machine)) { return difference }
        let size = Files.status(devhost.layout.templateMemory(key))?.size ?? 0
        return size == record.memorySize ? nil : "its memory has \(size) bytes and had \(record.memorySize)"
    }
}
