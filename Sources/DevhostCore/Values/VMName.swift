/// The name of a VM: a host name, a path component and a libvirt domain name, safe as each by construction.
public struct VMName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name as text.
    public let description: String

    /// Parses a name.
    /// - Throws: `invalidArgument` unless it is 1 to 63 of a-z, 0-9 and '-', starts and ends with a letter or a digit
    ///   and is not all digits (a host name of digits alone reads as an address).
    public init(_ text: String) throws(DevhostError) {
        guard DNSLabel.isValid(text), !DNSLabel.isAllDigits(text) else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not a VM name", next: "use \(DNSLabel.rule), not all digits")
        }
        description = text
    }

    /// Orders names by their bytes.
    public static func < (left: VMName, right: VMName) -> Bool { left.description < right.description }
}

extension VMName: Codable {
    /// Decodes a name with the same check as ``init(_:)``.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in try VMName(text) }
    }

    /// Encodes the name as a string.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}
