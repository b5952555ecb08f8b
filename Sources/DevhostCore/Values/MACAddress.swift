/// An Ethernet address.
public struct MACAddress: Hashable, Sendable, CustomStringConvertible {
    /// The six bytes, in the low 48 bits.
    public let bits: UInt64

    /// The address that belongs to a VM's id: `02:03:` and the id in eight hex digits. Guests name their interface by it.
    public init(id: VMIdentifier) {
        bits = 0x0203_0000_0000 | UInt64(id.value)
    }

    package init(bits: UInt64) { self.bits = bits & 0xffff_ffff_ffff }

    /// Parses six pairs of hex digits with colons between them.
    /// - Throws: `invalidArgument` for anything else.
    public init(_ text: String) throws(DevhostError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var bits: UInt64 = 0
        for part in parts {
            guard part.utf8.count == 2, part.allSatisfy(\.isHexDigit), let byte = UInt8(part, radix: 16) else {
                throw DevhostError(.invalidArgument, "\(text.quoted) is not a MAC address")
            }
            bits = bits << 8 | UInt64(byte)
        }
        guard parts.count == 6 else { throw DevhostError(.invalidArgument, "\(text.quoted) is not a MAC address") }
        self.bits = bits
    }

    /// The address in lower case with colons.
    public var description: String {
        (0..<6).reversed().map { index in
            let byte = bits >> (UInt64(index) * 8) & 0xff
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined(separator: ":")
    }
}

extension MACAddress: Codable {
    /// Decodes an address with the same check as ``init(_:)``.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in try MACAddress(text) }
    }

    /// Encodes the address as a string.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}
