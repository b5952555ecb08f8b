/// An IPv4 address.
public struct IPv4Address: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The address in host byte order.
    public let bits: UInt32

    /// An address from its 32 bits in host byte order.
    public init(bits: UInt32) { self.bits = bits }

    /// Parses four decimal numbers with dots between them.
    /// - Throws: `invalidArgument` for anything else.
    public init(_ text: String) throws(DevhostError) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        var bits: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let byte = UInt8(part)
            else { throw DevhostError(.invalidArgument, "\(text.quoted) is not an IPv4 address") }
            bits = bits << 8 | UInt32(byte)
        }
        guard parts.count == 4 else { throw DevhostError(.invalidArgument, "\(text.quoted) is not an IPv4 address") }
        self.bits = bits
    }

    /// The address as four decimal numbers.
    public var description: String { "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)" }

    /// Orders by number.
    public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.bits < right.bits }

    /// The address `offset` further on.
    package func advanced(by offset: UInt32) -> IPv4Address { IPv4Address(bits: bits &+ offset) }
}

extension IPv4Address: Codable {
    /// Decodes an address with the same check as ``init(_:)``.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in try IPv4Address(text) }
    }

    /// Encodes the address as a string.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}
