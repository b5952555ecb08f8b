/// The label of a snapshot: what its VM knows it by. It has the form of a label of a host name, so that nothing in it
/// means anything to XML, a path or a program.
public struct SnapshotLabel: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The label as text.
    public let description: String

    /// Parses a label.
    /// - Throws: `invalidArgument` unless it is 1 to 63 of a-z, 0-9 and '-', starting and ending with a letter or a digit.
    public init(_ text: String) throws(DevhostError) {
        guard DNSLabel.isValid(text) else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not the label of a snapshot", next: "use \(DNSLabel.rule)")
        }
        description = text
    }

    /// A label that tells the moment to the second, for instance `20261124-190501`.
    public init(_ moment: Timestamp) {
        let digits = moment.description.utf8.prefix(19).filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let text = String(decoding: digits, as: UTF8.self)
        description = "\(text.prefix(8))-\(text.dropFirst(8))"
    }

    /// Orders labels by their bytes.
    public static func < (left: SnapshotLabel, right: SnapshotLabel) -> Bool { left.description < right.description }
}

extension SnapshotLabel: Codable {
    /// Decodes a label with the same check as ``init(_:)``.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in try SnapshotLabel(text) }
    }

    /// Encodes the label as a string.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}

/// A snapshot of a VM as commands name it: `NAME@LABEL`.
public struct SnapshotReference: Hashable, Sendable, CustomStringConvertible {
    /// The VM.
    public let name: VMName
    /// The snapshot.
    public let label: SnapshotLabel

    /// Parses `NAME@LABEL`.
    /// - Throws: `invalidArgument`.
    public init(_ text: String) throws(DevhostError) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw DevhostError(.invalidArgument, "\(text.quoted) names no snapshot", next: "write NAME@LABEL")
        }
        name = try VMName(String(parts[0]))
        label = try SnapshotLabel(String(parts[1]))
    }

    /// A reference that is known.
    public init(_ name: VMName, _ label: SnapshotLabel) {
        self.name = name
        self.label = label
    }

    /// The reference as text.
    public var description: String { "\(name)@\(label)" }
}
