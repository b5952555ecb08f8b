/// Addresses of clients: one IPv4 or IPv6 address, or a network of either in CIDR notation.
public struct ClientNetwork: Hashable, Sendable, CustomStringConvertible {
    /// The form that ``init(_:)`` takes.
    public let description: String

    /// Parses `192.0.2.7`, `192.0.2.0/24`, `2001:db8::1` or `2001:db8::/32`.
    /// - Throws: `invalidArgument` for anything else.
    public init(_ text: String) throws(DevhostError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isIPv4 = (try? IPv4Address(String(parts[0]))) != nil
        guard isIPv4 || (try? IPv6Address(String(parts[0]))) != nil,
            parts.count == 1 || parts.count == 2 && Self.isLength(parts[1], upTo: isIPv4 ? 32 : 128)
        else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is neither an address nor a network",
                next: "write it as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32")
        }
        description = text
    }

    private static func isLength(_ text: Substring, upTo limit: Int) -> Bool {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(text)
        else { return false }
        return length <= limit
    }
}
