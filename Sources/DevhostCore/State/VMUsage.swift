/// What one VM takes of the devhost. By its record that is disk as long as it exists, memory and CPUs while it is meant to
/// run; what it holds beyond that as it runs is added to it (`Devhost.uses(_:)`).
struct VMUsage: Sendable, Hashable {
    let name: VMName
    /// Who owns it; nil for a VM without an owner on record.
    let owner: String?
    /// In bytes.
    var memory: UInt64
    var cpus: Int
    /// In bytes.
    var disk: UInt64
    /// Whether it counts among the VMs: a template that is being made does not.
    var isVM = true

    init(name: VMName, owner: String, memory: UInt64, cpus: Int, disk: UInt64, isVM: Bool) {
        self.name = name
        self.owner = owner
        self.memory = memory
        self.cpus = cpus
        self.disk = disk
        self.isVM = isVM
    }

    init(_ record: VMRecord) {
        self.init(
            name: record.name, owner: record.owner, memory: record.memory, cpus: record.cpus, disk: record.diskSize,
            isOnline: record.isOnline)
    }

    private init(
        name: VMName, owner: String?, memory: MemorySize?, cpus: CPUCount?, disk: DiskSize?, isOnline: Bool?
    ) {
        self.name = name
        self.owner = owner
        self.memory = isOnline == true ? UInt64(memory?.mebibytes ?? 0) << 20 : 0
        self.cpus = isOnline == true ? cpus?.value ?? 0 : 0
        self.disk = disk?.bytes ?? 0
    }

    /// The keys of a record that are looked at.
    struct Content: Decodable {
        let use: VMUsage

        private enum Key: String, CodingKey {
            case name, user, memory, cpu, online
            case diskSize = "disk_size"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Key.self)
            use = VMUsage(
                name: try VMRecord.name(in: values, key: .name, decoder),
                owner: try values.decodeIfPresent(String.self, forKey: .user),
                memory: try values.decodeIfPresent(MemorySize.self, forKey: .memory),
                cpus: try values.decodeIfPresent(CPUCount.self, forKey: .cpu),
                disk: try values.decodeIfPresent(DiskSize.self, forKey: .diskSize),
                isOnline: try values.decodeIfPresent(Bool.self, forKey: .online))
        }
    }
}
