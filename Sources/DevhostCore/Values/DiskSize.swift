/// The size of a VM's disk in bytes.
public struct DiskSize: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The size in bytes.
    public let bytes: UInt64

    /// The smallest and the largest disk that can be asked for: 64 MiB and 64 TiB.
    public static let range: ClosedRange<UInt64> = (64 << 20)...(64 << 40)

    /// Parses `50G`, `512M`, `1.5T`, `67108864K` (powers of 1024, `GiB` is the same as `G`), and bytes with `B` or without a
    /// unit. What is no whole number of MiB counts up to the next.
    /// - Throws: `invalidArgument` for anything else, and for sizes outside ``range``.
    public init(_ text: String) throws(DevhostError) {
        guard let bytes = ByteSize.parseDisk(text), Self.range.contains(bytes) else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not a disk size",
                next: "write a number with M, G or T, for instance 50G, from 64M to 64T")
        }
        self.bytes = bytes
    }

    /// A size that is known in bytes.
    /// - Throws: `invalidArgument` outside ``range``.
    public init(bytes: UInt64) throws(DevhostError) {
        guard Self.range.contains(bytes) else {
            throw DevhostError(.invalidArgument, "\(bytes) bytes is not a disk size", next: "use 64M to 64T")
        }
        self.bytes = bytes
    }

    /// The shortest exact form, for instance `50G`.
    public var description: String { ByteSize.format(bytes) }

    /// Orders by size.
    public static func < (left: DiskSize, right: DiskSize) -> Bool { left.bytes < right.bytes }
}

extension DiskSize: Codable {
    /// Decodes the text form; a bare number is read as bytes, as the old tool wrote it.
    public init(from decoder: any Decoder) throws {
        // Text first: a type that does not fit costs ten times the decoding.
        let value = try decoder.singleValueContainer()
        if (try? value.decode(String.self)) == nil {
            self = try DiskSize(bytes: try value.decode(UInt64.self))
        } else {
            self = try decoder.parse { text throws(DevhostError) in
                if let bytes = UInt64(text) { return try DiskSize(bytes: bytes) }
                return try DiskSize(text)
            }
        }
    }

    /// Encodes the text form.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}
