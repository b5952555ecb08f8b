/// The name of a release in a catalog, for instance `2024_021`.
public struct ReleaseName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name as text.
    public let description: String

    /// Parses a name.
    /// - Throws: `invalidArgument` unless it is 1 to 128 of letters, digits, '.', '_', '+' and '-' and starts with a
    ///   letter or a digit.
    public init(_ text: String) throws(DevhostError) {
        guard CatalogName.isValid(text) else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not the name of a release", next: "use \(CatalogName.rule)")
        }
        description = text
    }

    /// Orders names as people count: a number within a name counts as a number.
    public static func < (left: ReleaseName, right: ReleaseName) -> Bool {
        CatalogName.isOrdered(left.description, right.description)
    }
}

extension ReleaseName: Codable {
    /// Decodes a name with the same check as ``init(_:)``.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in try ReleaseName(text) }
    }

    /// Encodes the name as a string.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}
