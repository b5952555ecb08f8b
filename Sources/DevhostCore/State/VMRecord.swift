/// What is wanted of a VM and what the devhost gave it: one JSON file, whose keys are a contract with batou and with
/// records that the old tool wrote. Every key may be missing from an old file, and keys that are not ours are kept.
public struct VMRecord: Sendable, Hashable {
    /// The VM's name; also the file's.
    public let name: VMName
    /// The VM's number.
    public var id: VMIdentifier?
    /// Its CPUs.
    public var cpus: CPUCount?
    /// Its memory.
    public var memory: MemorySize?
    /// The size of its disk.
    public var diskSize: DiskSize?
    /// The names it is published under.
    public var aliases: [Alias] = []
    /// Where its aliases lead, those that do not lead to https on port 443.
    public var aliasPorts: [Alias: AliasTarget] = [:]
    /// Whether only the allowed may see what it publishes; nil for the devhost's default.
    public var isPrivate: Bool?
    /// Where it stands.
    public var location: Location?
    /// Where its image came from.
    public var imageURL: String?
    /// Its channel.
    public var channelURL: String?
    /// The Hydra evaluation that it was made from.
    public var hydraEval: JSONValue?
    /// Whether it is meant to run. Whether it does is libvirt's to say.
    public var isOnline: Bool?
    /// Who owns it.
    public var owner: String?
    /// When it was made.
    public var creationDate: Timestamp?
    /// When it was last ensured.
    public var lastDeployDate: Timestamp?
    /// Its MAC address.
    public var mac: MACAddress?
    /// Its IPv4 address.
    public var ipv4: IPv4Address?
    /// Its IPv6 address.
    public var ipv6: IPv6Address?
    /// Its public ssh host key.
    public var hostKey: String?
    /// The keys of its owner.
    public var authorizedKeys: [AuthorizedKey] = []
    /// The base image below its disk.
    public var imageHash: SHA256Digest?
    /// The release reference as it was asked for.
    public var releaseReference: String?
    /// The name of the release that the reference stood for.
    public var releaseName: String?
    /// The digest of what the guest was told about itself; differs from what it should be told after a change.
    public var guestDigest: SHA256Digest?
    /// Which of its disks is the VM's: every rebuild makes one with a new number.
    public var diskNumber: UInt32 = 0
    /// A disk beside the VM's own that is to go: during a rebuild the new one until its guest answers, then the old one.
    public var otherDisk: UInt32?
    /// The VM that it is to be a clone of, until it is.
    public var cloneOf: VMName?
    /// True until the VM's first start succeeded: what fails before that is taken away whole.
    public var isIncomplete = false
    /// Whether clean-up leaves it alone.
    public var pin: Pin?
    /// When it was put into the trash, where it can be had back from for a while; nil for a VM that is there.
    public var trashed: Timestamp?
    /// Keys that this version does not know.
    public var unknown: [String: JSONValue] = [:]

    /// A record with nothing but a name.
    public init(name: VMName) { self.name = name }
}

extension VMRecord: Codable {
    private struct Key: CodingKey, Hashable {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }

        static func key(_ text: String) -> Key { Key(stringValue: text) }
        static let name = key("name")
        static let id = key("id")
        static let cpu = key("cpu")
        static let memory = key("memory")
        static let diskSize = key("disk_size")
        static let aliases = key("aliases")
        static let aliasPorts = key("alias-ports")
        static let isPrivate = key("private")
        static let location = key("location")
        static let imageURL = key("image_url")
        static let channelURL = key("channel_url")
        static let hydraEval = key("hydra_eval")
        static let online = key("online")
        static let user = key("user")
        static let creationDate = key("creation-date")
        static let lastDeployDate = key("last_deploy_date")
        static let mac = key("srv-mac")
        static let ipv4 = key("srv-ip")
        static let ipv6 = key("srv-ip6")
        static let hostKey = key("host-key")
        static let authorizedKeys = key("authorized-keys")
        static let imageHash = key("image-sha256")
        static let releaseReference = key("release")
        static let releaseName = key("release-name")
        static let guestDigest = key("guest-digest")
        static let diskNumber = key("disk-number")
        static let otherDisk = key("other-disk")
        static let cloneOf = key("clone-of")
        static let incomplete = key("incomplete")
        static let pin = key("pinned")
        static let trashed = key("trashed")

        static let known: Set<Key> = [
            name, id, cpu, memory, diskSize, aliases, aliasPorts, isPrivate, location, imageURL, channelURL, hydraEval,
            online, user,
            creationDate, lastDeployDate, mac, ipv4, ipv6, hostKey, authorizedKeys, imageHash, releaseReference,
            releaseName, guestDigest, diskNumber, otherDisk, cloneOf, incomplete, pin, trashed,
        ]
    }

    /// Under which the decoder is told the name that the file bears.
    static let nameKey = CodingUserInfoKey(rawValue: "devhost.vm-name")

    /// The name in a record, which is that of its file where the decoder knows that.
    static func name<Key: CodingKey>(
        in values: KeyedDecodingContainer<Key>, key: Key, _ decoder: any Decoder
    ) throws -> VMName {
        let fileName = nameKey.flatMap { decoder.userInfo[$0] as? VMName }
        let inner = try values.decodeIfPresent(VMName.self, forKey: key)
        guard let name = inner ?? fileName, fileName == nil || name == fileName else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: values, debugDescription: "the name is not that of the file")
        }
        return name
    }

    /// Decodes a record. The name may be missing where the decoder's `userInfo` holds the file's.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(name: try VMRecord.name(in: values, key: .name, decoder))
        id = try values.decodeIfPresent(VMIdentifier.self, forKey: .id)
        cpus = try values.decodeIfPresent(CPUCount.self, forKey: .cpu)
        memory = try values.decodeIfPresent(MemorySize.self, forKey: .memory)
        diskSize = try values.decodeIfPresent(DiskSize.self, forKey: .diskSize)
        aliases = try values.decodeIfPresent([Alias].self, forKey: .aliases) ?? []
        for (alias, target) in try values.decodeIfPresent([String: AliasTarget].self, forKey: .aliasPorts) ?? [:] {
            aliasPorts[try Alias(alias)] = target
        }
        isPrivate = try values.decodeIfPresent(Bool.self, forKey: .isPrivate)
        location = try values.decodeIfPresent(Location.self, forKey: .location)
        imageURL = try values.decodeIfPresent(String.self, forKey: .imageURL)
        channelURL = try values.decodeIfPresent(String.self, forKey: .channelURL)
        hydraEval = try values.decodeIfPresent(JSONValue.self, forKey: .hydraEval)
        isOnline = try values.decodeIfPresent(Bool.self, forKey: .online)
        owner = try values.decodeIfPresent(String.self, forKey: .user)
        creationDate = try values.decodeIfPresent(Timestamp.self, forKey: .creationDate)
        lastDeployDate = try values.decodeIfPresent(Timestamp.self, forKey: .lastDeployDate)
        mac = try values.decodeIfPresent(MACAddress.self, forKey: .mac)
        ipv4 = try values.decodeIfPresent(IPv4Address.self, forKey: .ipv4)
        ipv6 = try values.decodeIfPresent(IPv6Address.self, forKey: .ipv6)
        hostKey = try values.decodeIfPresent(String.self, forKey: .hostKey)
        authorizedKeys = try values.decodeIfPresent([AuthorizedKey].self, forKey: .authorizedKeys) ?? []
        imageHash = try values.decodeIfPresent(SHA256Digest.self, forKey: .imageHash)
        releaseReference = try values.decodeIfPresent(String.self, forKey: .releaseReference)
        releaseName = try values.decodeIfPresent(String.self, forKey: .releaseName)
        guestDigest = try values.decodeIfPresent(SHA256Digest.self, forKey: .guestDigest)
        diskNumber = try values.decodeIfPresent(UInt32.self, forKey: .diskNumber) ?? 0
        otherDisk = try values.decodeIfPresent(UInt32.self, forKey: .otherDisk)
        cloneOf = try values.decodeIfPresent(VMName.self, forKey: .cloneOf)
        isIncomplete = try values.decodeIfPresent(Bool.self, forKey: .incomplete) ?? false
        pin = try values.decodeIfPresent(Pin.self, forKey: .pin)
        trashed = try values.decodeIfPresent(Timestamp.self, forKey: .trashed)
        for key in values.allKeys where !Key.known.contains(key) {
            unknown[key.stringValue] = try values.decode(JSONValue.self, forKey: key)
        }
    }

    /// Encodes the known keys that have a value, `aliases` always, and every unknown one as it was.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        for (key, value) in unknown { try values.encode(value, forKey: .key(key)) }
        try values.encode(name, forKey: .name)
        try values.encodeIfPresent(id, forKey: .id)
        try values.encodeIfPresent(cpus, forKey: .cpu)
        try values.encodeIfPresent(memory, forKey: .memory)
        try values.encodeIfPresent(diskSize, forKey: .diskSize)
        try values.encode(aliases, forKey: .aliases)
        if !aliasPorts.isEmpty {
            let ports = aliasPorts.map { ($0.key.description, $0.value) }
            try values.encode(Dictionary(uniqueKeysWithValues: ports), forKey: .aliasPorts)
        }
        try values.encodeIfPresent(isPrivate, forKey: .isPrivate)
        try values.encodeIfPresent(location, forKey: .location)
        try values.encodeIfPresent(imageURL, forKey: .imageURL)
        try values.encodeIfPresent(channelURL, forKey: .channelURL)
        try values.encodeIfPresent(hydraEval, forKey: .hydraEval)
        try values.encodeIfPresent(isOnline, forKey: .online)
        try values.encodeIfPresent(owner, forKey: .user)
        try values.encodeIfPresent(creationDate, forKey: .creationDate)
        try values.encodeIfPresent(lastDeployDate, forKey: .lastDeployDate)
        try values.encodeIfPresent(mac, forKey: .mac)
        try values.encodeIfPresent(ipv4, forKey: .ipv4)
        try values.encodeIfPresent(ipv6, forKey: .ipv6)
        try values.encodeIfPresent(hostKey, forKey: .hostKey)
        if !authorizedKeys.isEmpty { try values.encode(authorizedKeys, forKey: .authorizedKeys) }
        try values.encodeIfPresent(imageHash, forKey: .imageHash)
        try values.encodeIfPresent(releaseReference, forKey: .releaseReference)
        try values.encodeIfPresent(releaseName, forKey: .releaseName)
        try values.encodeIfPresent(guestDigest, forKey: .guestDigest)
        if diskNumber != 0 { try values.encode(diskNumber, forKey: .diskNumber) }
        try values.encodeIfPresent(otherDisk, forKey: .otherDisk)
        try values.encodeIfPresent(cloneOf, forKey: .cloneOf)
        if isIncomplete { try values.encode(true, forKey: .incomplete) }
        try values.encodeIfPresent(pin, forKey: .pin)
        try values.encodeIfPresent(trashed, forKey: .trashed)
    }
}
