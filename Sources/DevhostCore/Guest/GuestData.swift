import FoundationEssentials

/// What a guest is told about itself: enc.json, who may log in, and how large it is meant to be.
struct GuestData: Sendable {
    let record: VMRecord
    let network: Configuration.Network
    let gateway: IPv4Address
    /// The keys that may log in: the owner's and the devhost's.
    let authorizedKeys: [String]

    /// Where the platform reads what its VM is (fc.manage's "external node classifier" document).
    static let encPath = "/etc/nixos/enc.json"

    /// The enc.json of the platform, with the keys that the old tool wrote.
    func enc() -> JSONValue {
        let range = network.ipv4.description
        let interface: [String: JSONValue] = [
            "bridged": .bool(false),
            "gateways": .object([range: .string(gateway.description)]),
            "mac": .string(record.mac?.description ?? ""),
            "networks": .object([range: .array(record.ipv4.map { [.string($0.description)] } ?? [])]),
        ]
        var parameters: [String: JSONValue] = [
            "environment": .string("dev-vm"),
            "interfaces": .object(["srv": .object(interface)]),
            "cores": .integer(Int64(record.cpus?.value ?? 1)),
            "memory": .integer(Int64(record.memory?.mebibytes ?? 0)),
            "location": .string(record.location?.description ?? ""),
        ]
        if let channel = record.channelURL { parameters["environment_url"] = .string(channel) }
        return .object(["name": .string(record.name.description), "parameters": .object(parameters)])
    }

    static func encode(_ document: JSONValue) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(document)) + [UInt8(ascii: "\n")]
    }

    /// The authorized_keys of the user `developer`: our lines stand between two marks, lines of others are kept.
    var authorizedKeysBlock: String {
        "\(Self.blockStart)\n" + authorizedKeys.map { "\($0)\n" }.joined() + "\(Self.blockEnd)\n"
    }

    static let blockStart = "# begin: managed by fc-devhost"
    static let blockEnd = "# end: managed by fc-devhost"

    /// Tells whether a guest knows all this: changes when anything in it does.
    func digest() throws -> SHA256Digest {
        let parts = [
            String(decoding: try Self.encode(enc()), as: UTF8.self), authorizedKeysBlock,
            record.diskSize?.description ?? "",
        ]
        return try SHA256Hasher.digest(Array(parts.joined(separator: "\0").utf8))
    }
}
