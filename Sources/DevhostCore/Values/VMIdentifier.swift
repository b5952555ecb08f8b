/// The number that a devhost gives a VM; MAC and IP addresses of new VMs follow from it.
public struct VMIdentifier: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number; 0 occurs in records of the old tool, new VMs count from 1.
    public let value: UInt32

    /// A number that is known.
    public init(_ value: UInt32) { self.value = value }

    /// The number as text.
    public var description: String { "\(value)" }

    /// Orders by number.
    public static func < (left: VMIdentifier, right: VMIdentifier) -> Bool { left.value < right.value }
}

extension VMIdentifier: Codable {
    /// Decodes a number.
    public init(from decoder: any Decoder) throws { value = try decoder.singleValueContainer().decode(UInt32.self) }

    /// Encodes the number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}
