/// What is known of a template: the JSON file beside its memory and its overlay. It is written last, so a template
/// without one is not complete.
struct TemplateRecord: Codable, Sendable, Hashable {
    /// What the memory of a template depends on beside its own machine: on another host it means nothing.
    struct Host: Codable, Sendable, Hashable {
        /// The digest of the machine's definition, without what differs between VMs.
        var machine: SHA256Digest
        /// The version of the hypervisor, as libvirt counts it.
        var hypervisor: UInt64
        /// The version of libvirt, counted alike.
        var libvirt: UInt64
        /// The digest of what libvirt says of the processor.
        var processor: SHA256Digest

        /// What differs on another host, in words; nil where nothing does.
        func difference(from other: Host) -> String? {
            if hypervisor != other.hypervisor { return "it is of another version of QEMU" }
            if libvirt != other.libvirt { return "it is of another version of libvirt" }
            if processor != other.processor { return "it is of another processor" }
            return machine == other.machine ? nil : "it is of another kind of machine"
        }
    }

    /// The image below its overlay.
    var image: SHA256Digest
    var cpus: CPUCount
    var memory: MemorySize
    var host: Host
    /// The digest of the file with its memory.
    var memoryDigest: SHA256Digest
    /// The size of that file in bytes.
    var memorySize: UInt64
    /// The digest of its overlay.
    var diskDigest: SHA256Digest
    /// The size of the overlay's file in bytes.
    var diskSize: UInt64
    var created: Timestamp
    var lastUse: Timestamp?
    /// How many VMs started from it.
    var uses = 0
    /// How many starts in a row failed. Those within a minute count once: many at a time may be too many for the host.
    var failures = 0
    var lastFailure: Timestamp?

    enum CodingKeys: String, CodingKey {
        case image, cpus, memory, host, created, uses, failures
        case memoryDigest = "memory_sha256"
        case memorySize = "memory_size"
        case diskDigest = "disk_sha256"
        case diskSize = "disk_size"
        case lastUse = "last_use"
        case lastFailure = "last_failure"
    }

    var shape: MachineShape { MachineShape(cpus: cpus, memory: memory) }
    /// What it occupies, in bytes.
    var size: UInt64 { memorySize + diskSize }

    /// Notes that a VM did not start from it.
    mutating func noteFailure(at now: Timestamp) {
        if let lastFailure, now.date.timeIntervalSince(lastFailure.date) < 60 { return }
        failures += 1
        lastFailure = now
    }
}

extension TemplateRecord {
    /// The name of the one template for an image and a shape: 16 hex digits.
    static func key(_ image: SHA256Digest, _ shape: MachineShape) throws -> String {
        String(try SHA256Hasher.digest(Array("\(image) \(shape)".utf8)).description.prefix(16))
    }
}
