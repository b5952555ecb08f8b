/// Where a VM stands, as the platform calls it (for instance `dev` or `rzob`): a label that reaches the guest's enc.json.
public struct Location: Hashable, Sendable, CustomStringConvertible {
    /// The location as text.
    public let description: String

    /// Parses a location.
    /// - Throws: `invalidArgument` unless it is 1 to 64 of a-z, A-Z, 0-9, '.', '_' and '-'.
    public init(_ text: String) throws(DevhostError) {
        let allowed = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard allowed, (1...64).contains(text.utf8.count) else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not a location",
                next: "use 1 to 64 of a-z, A-Z, 0-9, '.', '_' and '-'")
        }
        description = text
    }
}

extension Location: Codable {
    /// Decodes a location with the same check as ``init(_:)``.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in try Location(text) }
    }

    /// Encodes the location as a string.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}
