/// The memory of a VM in MiB.
public struct MemorySize: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The size in MiB.
    public let mebibytes: Int

    /// The least and the most memory that can be asked for, in MiB: 128 MiB and 16 TiB.
    public static let range = 128...(16 << 20)

    /// Parses `2048` (MiB), `512M`, `4G`.
    /// - Throws: `invalidArgument` for anything else, for sizes that are not whole MiB and those outside ``range``.
    public init(_ text: String) throws(DevhostError) {
        guard let bytes = ByteSize.parse(text, bareUnit: 1 << 20), bytes % (1 << 20) == 0,
            let mebibytes = Int(exactly: bytes >> 20), Self.range.contains(mebibytes)
        else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not a memory size",
                next: "write whole MiB, or a whole number with M or G, for instance 2048 or 2G, from 128M to 16T")
        }
        self.mebibytes = mebibytes
    }

    /// A size that is known in MiB.
    /// - Throws: `invalidArgument` outside ``range``.
    public init(mebibytes: Int) throws(DevhostError) {
        guard Self.range.contains(mebibytes) else {
            throw DevhostError(
                .invalidArgument, "\(mebibytes) MiB is not a memory size", next: "use 128 MiB to 16 TiB")
        }
        self.mebibytes = mebibytes
    }

    /// The size in MiB with its unit, for instance `2048M`.
    public var description: String { "\(mebibytes)M" }

    /// Orders by size.
    public static func < (left: MemorySize, right: MemorySize) -> Bool { left.mebibytes < right.mebibytes }
}

extension MemorySize: Codable {
    /// Decodes a number of MiB, or the text form.
    public init(from decoder: any Decoder) throws {
        if let mebibytes = try? decoder.singleValueContainer().decode(Int.self) {
            self = try MemorySize(mebibytes: mebibytes)
        } else {
            self = try decoder.parse { text throws(DevhostError) in try MemorySize(text) }
        }
    }

    /// Encodes the number of MiB.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(mebibytes)
    }
}
