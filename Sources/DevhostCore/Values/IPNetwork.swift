/// An IPv4 network in CIDR notation.
public struct IPv4Network: Hashable, Sendable, CustomStringConvertible {
    /// The network's first address.
    public let address: IPv4Address
    /// How many leading bits are the network's.
    public let prefixLength: Int

    /// Parses `10.12.0.0/16`.
    /// - Throws: `invalidArgument` for anything else, and where bits of the host part are set.
    public init(_ text: String) throws(DevhostError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let length = Int(parts[1]), (0...32).contains(length),
            let address = try? IPv4Address(String(parts[0])), address.bits & ~Self.mask(length) == 0
        else { throw DevhostError(.invalidArgument, "\(text.quoted) is not an IPv4 network like 10.12.0.0/16") }
        self.address = address
        prefixLength = length
    }

    /// The network's last address, which stands for everybody in it.
    package var last: IPv4Address { IPv4Address(bits: address.bits | ~Self.mask(prefixLength)) }

    private static func mask(_ length: Int) -> UInt32 { length == 0 ? 0 : UInt32.max << UInt32(32 - length) }

    /// Whether an address lies in the network.
    public func contains(_ other: IPv4Address) -> Bool { other.bits & Self.mask(prefixLength) == address.bits }

    /// The form that ``init(_:)`` takes.
    public var description: String { "\(address)/\(prefixLength)" }
}

/// An IPv6 network of 64 bits, as hosts that make their own addresses need it.
public struct IPv6Network: Hashable, Sendable, CustomStringConvertible {
    /// The upper half of every address in it.
    public let bits: UInt64

    /// Parses `fd64:6576:686f:7374::/64`.
    /// - Throws: `invalidArgument` for anything that is not a /64.
    public init(_ text: String) throws(DevhostError) {
        guard text.hasSuffix("/64"), let address = try? IPv6Address(String(text.dropLast(3))), address.interface == 0
        else {
            throw DevhostError(.invalidArgument, "\(text.quoted) is not an IPv6 network of 64 bits like fd00:1::/64")
        }
        bits = address.network
    }

    /// The address with the given interface part.
    public func address(_ interface: UInt64) -> IPv6Address { IPv6Address(network: bits, interface: interface) }

    /// The form that ``init(_:)`` takes.
    public var description: String { "\(IPv6Address(network: bits, interface: 0))/64" }
}
