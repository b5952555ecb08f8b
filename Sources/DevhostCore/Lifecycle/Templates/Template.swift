/// A booted system without an identity, kept as memory and a small disk, from which new VMs of one image and one shape
/// start.
public struct Template: Sendable, Hashable, Encodable {
    /// Its name.
    public let name: String
    /// The image below its disk.
    public let image: SHA256Digest
    /// The CPUs of its VMs.
    public let cpus: CPUCount
    /// The memory of its VMs.
    public let memory: MemorySize
    /// What it occupies on the devhost, in bytes.
    public let size: UInt64
    /// When it was made.
    public let created: Timestamp
    /// When a VM last started from it.
    public let lastUse: Timestamp?
    /// How many VMs started from it.
    public let uses: Int
    /// Why it cannot be used on this host any more; nil where it can.
    public let problem: String?

    enum CodingKeys: String, CodingKey {
        case name, image, cpus, memory, size, created, uses, problem
        case lastUse = "last_use"
    }

    init(_ name: String, _ record: TemplateRecord, problem: String?) {
        self.name = name
        image = record.image
        cpus = record.cpus
        memory = record.memory
        size = record.size
        created = record.created
        lastUse = record.lastUse
        uses = record.uses
        self.problem = problem
    }
}

/// How the guest of a VM came up.
public enum StartKind: String, Sendable, Codable {
    /// From the memory of a template.
    case warm
    /// By a boot.
    case cold
}

extension Template {
    /// When it was used last, or made.
    var lastNeeded: Timestamp { lastUse ?? created }

    /// Which templates go so that the rest fits into a number of bytes: those that were not used for longest.
    static func beyond(_ bytes: UInt64, _ templates: [Template]) -> [Template] {
        var occupied = templates.reduce(UInt64(0)) { $0.addingClamped($1.size) }
        return templates.sorted { ($0.lastNeeded, $0.name) < ($1.lastNeeded, $1.name) }
            .prefix { template in
                guard occupied > bytes else { return false }
                occupied -= min(occupied, template.size)
                return true
            }
    }
}
