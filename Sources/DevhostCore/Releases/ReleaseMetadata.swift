/// What a catalog says of a release: a JSON object, of which any key may be missing or null and others may stand there.
public struct ReleaseMetadata: Codable, Sendable, Hashable {
    /// The channel that guests follow.
    public var channelURL: String?
    /// The image that VMs start from; absolute, or relative to the document.
    public var imageURL: String?
    /// The digest of the image, `sha256-` and base64.
    public var imageHash: String?
    /// The name of the release.
    public var releaseName: String?
    /// Whether the channel moves on by itself.
    public var isRolling: Bool?
    /// What changed.
    public var changelogURL: String?

    /// Metadata in which nothing is said.
    public init() {}

    enum CodingKeys: String, CodingKey, CaseIterable {
        case channelURL = "channel_url"
        case imageURL = "devhost_image_url"
        case imageHash = "devhost_image_hash"
        case releaseName = "release_name"
        case isRolling = "rolling_channel"
        case changelogURL = "changelog_url"
    }

    /// Encodes every key, null where nothing is said, as published catalogs do.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(channelURL, forKey: .channelURL)
        try values.encode(imageURL, forKey: .imageURL)
        try values.encode(imageHash, forKey: .imageHash)
        try values.encode(releaseName, forKey: .releaseName)
        try values.encode(isRolling, forKey: .isRolling)
        try values.encode(changelogURL, forKey: .changelogURL)
    }

    /// Reads a document.
    /// - Parameter source: Where it comes from, for messages; what it says is not repeated in them.
    /// - Throws: `damaged` for what is no JSON object, or holds a value of another type or a name that is none.
    static func parse(_ bytes: [UInt8], source: String) throws(DevhostError) -> ReleaseMetadata {
        func unusable(_ key: String) -> DevhostError {
            DevhostError(.damaged, "the release metadata of \(source) holds something unusable as \(key.quoted)")
        }
        do {
            let metadata = try JSONCoding.decode(ReleaseMetadata.self, from: bytes)
            guard metadata.releaseName.map(isName) ?? true else { throw unusable(CodingKeys.releaseName.rawValue) }
            return metadata
        } catch let error as DevhostError {
            throw error
        } catch DecodingError.typeMismatch(_, let context) where !context.codingPath.isEmpty {
            let key = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw unusable(key)
        } catch {
            throw DevhostError(.damaged, "what \(source) gives is no release metadata (a JSON object)")
        }
    }

    /// The longest name of a release, in bytes.
    package static let longestName = 128

    /// Whether a text can be the name of a release: it is kept with each image and VM that bears it, and shown.
    package static func isName(_ text: String) -> Bool {
        text.utf8.count <= longestName && text.printable == text && !text.contains("\n")
    }
}
