/// How many virtual CPUs a VM has.
public struct CPUCount: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number.
    public let value: Int

    /// The numbers that can be asked for. 240 is what a q35 machine takes without an interrupt remapper.
    public static let range = 1...240

    /// Parses a whole number.
    /// - Throws: `invalidArgument` for anything that is not a number within ``range``.
    public init(_ text: String) throws(DevhostError) {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let value = Int(text),
            Self.range.contains(value)
        else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not a number of CPUs",
                next: "write a whole number from \(Self.range.lowerBound) to \(Self.range.upperBound)")
        }
        self.value = value
    }

    /// A number that is known.
    /// - Throws: `invalidArgument` outside ``range``.
    public init(_ value: Int) throws(DevhostError) { try self.init("\(value)") }

    /// The number as text.
    public var description: String { "\(value)" }

    /// Orders by number.
    public static func < (left: CPUCount, right: CPUCount) -> Bool { left.value < right.value }
}

extension CPUCount: Codable {
    /// Decodes a number, or the text form.
    public init(from decoder: any Decoder) throws {
        if let value = try? decoder.singleValueContainer().decode(Int.self) {
            self = try CPUCount(value)
        } else {
            self = try decoder.parse { text throws(DevhostError) in try CPUCount(text) }
        }
    }

    /// Encodes the number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}
