import FoundationEssentials

/// A snapshot of a VM: its disk at a moment, and its memory where it ran.
public struct VMSnapshot: Sendable, Hashable, Encodable {
    /// The VM.
    public let vm: VMName
    /// What the VM knows it by.
    public let label: SnapshotLabel
    /// When it was made.
    public let created: Timestamp
    /// Whether it holds the memory of the VM, which goes on from there.
    public let isRunning: Bool
    /// The memory that the VM had; nil where fc-devhost did not make the snapshot.
    public let memory: MemorySize?
    /// The CPUs that the VM had.
    public let cpus: CPUCount?
    /// The size of its disk.
    public let diskSize: DiskSize?
    /// Who made it.
    public let user: String?

    private enum CodingKeys: String, CodingKey {
        case vm, label, created, memory, user
        case isRunning = "running"
        case cpus = "cpu"
        case diskSize = "disk_size"
    }
}

/// What fc-devhost notes with a snapshot: what of the record it belongs to. libvirt keeps it as the description.
struct SnapshotNote: Codable {
    var memory: MemorySize?
    var cpu: CPUCount?
    var diskSize: DiskSize?
    /// What the guest had been told.
    var guestDigest: SHA256Digest?
    var user: String

    private enum CodingKeys: String, CodingKey {
        case memory, cpu, user
        case diskSize = "disk-size"
        case guestDigest = "guest-digest"
    }

    /// - Returns: nil for a description that somebody else wrote.
    static func parse(_ text: String) -> SnapshotNote? {
        try? JSONDecoder().decode(SnapshotNote.self, from: Data(text.utf8))
    }

    func rendered() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// The record of a VM that is brought back to the snapshot.
    func applied(to record: VMRecord, isRunning: Bool) -> VMRecord {
        var record = record
        record.memory = memory ?? record.memory
        record.cpus = cpu ?? record.cpus
        record.diskSize = diskSize ?? record.diskSize
        record.guestDigest = guestDigest
        record.isOnline = isRunning
        return record
    }
}

extension VMSnapshot {
    /// A snapshot as libvirt has it; nil for one whose name is no label, which somebody else made.
    init?(_ vm: VMName, _ snapshot: Connection.DomainSnapshot) {
        guard let label = try? SnapshotLabel(snapshot.name) else { return nil }
        let note = SnapshotNote.parse(snapshot.note)
        let created = Timestamp(Date(timeIntervalSince1970: TimeInterval(snapshot.creationTime)))
        self.init(
            vm: vm, label: label, created: created, isRunning: snapshot.isRunning, memory: note?.memory,
            cpus: note?.cpu, diskSize: note?.diskSize, user: note?.user)
    }
}
