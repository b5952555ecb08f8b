/// An IPv6 address.
public struct IPv6Address: Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes: the network of a /64.
    public let network: UInt64
    /// The last eight bytes: the interface.
    public let interface: UInt64

    /// An address from its two halves, in host byte order.
    public init(network: UInt64, interface: UInt64) {
        self.network = network
        self.interface = interface
    }

    /// The address that a host gives itself in a /64 from its MAC address (modified EUI-64, RFC 4291 appendix A).
    public init(network: UInt64, mac: MACAddress) {
        let upper = mac.bits >> 24 ^ 0x020000
        self.init(network: network, interface: upper << 40 | 0xff_fe00_0000 | mac.bits & 0xff_ffff)
    }

    /// The link-local address that follows from a MAC address.
    public static func linkLocal(mac: MACAddress) -> IPv6Address {
        IPv6Address(network: 0xfe80_0000_0000_0000, mac: mac)
    }

    /// Parses the forms of RFC 4291 without an embedded IPv4 address and without a zone.
    /// - Throws: `invalidArgument` for anything else.
    public init(_ text: String) throws(DevhostError) {
        guard let groups = Self.groups(of: text) else {
            throw DevhostError(.invalidArgument, "\(text.quoted) is not an IPv6 address")
        }
        network = groups[0..<4].reduce(0) { $0 << 16 | UInt64($1) }
        interface = groups[4..<8].reduce(0) { $0 << 16 | UInt64($1) }
    }

    private static func groups(of text: String) -> [UInt16]? {
        func parse(_ part: Substring) -> [UInt16]? {
            if part.isEmpty { return [] }
            var groups: [UInt16] = []
            for word in part.split(separator: ":", omittingEmptySubsequences: false) {
                guard (1...4).contains(word.utf8.count), word.allSatisfy(\.isHexDigit),
                    let group = UInt16(word, radix: 16)
                else { return nil }
                groups.append(group)
            }
            return groups
        }
        guard let gap = text.firstRange(of: "::") else {
            guard let groups = parse(text[...]), groups.count == 8 else { return nil }
            return groups
        }
        guard let head = parse(text[..<gap.lowerBound]), let tail = parse(text[gap.upperBound...]),
            head.count + tail.count < 8
        else { return nil }
        return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    /// The canonical form of RFC 5952: lower case, the longest run of two or more zero groups as `::`.
    public var description: String {
        let groups = (0..<8).map { index in
            UInt16(truncatingIfNeeded: (index < 4 ? network : interface) >> UInt64((3 - index % 4) * 16))
        }
        var longest = 0..<0
        var index = 0
        while index < 8 {
            let end = groups[index...].firstIndex { $0 != 0 } ?? 8
            if end - index > max(longest.count, 1) { longest = index..<end }
            index = max(end, index + 1)
        }
        let text = { (range: Range<Int>) in groups[range].map { String($0, radix: 16) }.joined(separator: ":") }
        return longest.isEmpty ? text(0..<8) : text(0..<longest.lowerBound) + "::" + text(longest.upperBound..<8)
    }
}

extension IPv6Address: Codable {
    /// Decodes an address with the same check as ``init(_:)``.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in try IPv6Address(text) }
    }

    /// Encodes the address as a string.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}
