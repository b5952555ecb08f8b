/// Everything about one VM: its record and what libvirt says of it.
public struct VMDescription: Sendable, Hashable, Encodable {
    /// The record.
    public let record: VMRecord
    /// What the VM is right now; nil where libvirt was not asked or did not answer.
    public let state: DomainState?
    /// What the disk occupies on the devhost, in bytes.
    public let diskAllocation: UInt64?
    /// How its guest came up, where the verb that tells it started it.
    public var start: StartKind?

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Encodes the keys of the record, `state`, `disk_allocation` and `start`; URLs without what may be a secret.
    public func encode(to encoder: any Encoder) throws {
        try record.shown.encode(to: encoder)
        var values = encoder.container(keyedBy: Key.self)
        try values.encodeIfPresent(state, forKey: Key(stringValue: "state"))
        try values.encodeIfPresent(diskAllocation, forKey: Key(stringValue: "disk_allocation"))
        try values.encodeIfPresent(start, forKey: Key(stringValue: "start"))
    }
}

/// One line of a list of VMs.
public struct VMSummary: Sendable, Encodable {
    /// The VM's name, or what stands in place of one.
    public let name: String
    /// What the VM is right now; nil where libvirt was not asked.
    public let state: DomainState?
    /// Who owns it.
    public let owner: String?
    /// When it was made.
    public let creationDate: Timestamp?
    /// When it was last ensured.
    public let lastDeployDate: Timestamp?
    /// Its record; nil where it is broken.
    public let record: VMRecord?
    /// When it was last used.
    public var lastUse: Timestamp?
    /// What becomes of it if nobody uses it; nil where nothing does, or where nobody has looked yet.
    public var next: CleanupStep?
    /// Whether clean-up leaves it alone.
    public var pin: Pin?
    /// Why the record cannot be read.
    public let problem: String?

    private enum CodingKeys: String, CodingKey {
        case name, state, problem, next
        case lastUse = "last-use"
        case pin = "pinned"
        case owner = "user"
        case creationDate = "creation-date"
        case lastDeployDate = "last_deploy_date"
        case record
    }

    /// Encodes what is known; URLs of the record without what may be a secret.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(name, forKey: .name)
        try values.encodeIfPresent(state, forKey: .state)
        try values.encodeIfPresent(owner, forKey: .owner)
        try values.encodeIfPresent(creationDate, forKey: .creationDate)
        try values.encodeIfPresent(lastDeployDate, forKey: .lastDeployDate)
        try values.encodeIfPresent(record?.shown, forKey: .record)
        try values.encodeIfPresent(problem, forKey: .problem)
    }
}
