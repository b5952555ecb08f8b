/// What a release reference stands for: all that a VM needs, checked.
public struct ResolvedRelease: Sendable, Hashable {
    /// The reference that was resolved.
    public let reference: ReleaseReference
    /// The name of the release; nil where nothing names it.
    public let releaseName: String?
    /// The channel that the guest follows; nil where the release names none.
    public let channelURL: ResourceURL?
    /// The image.
    public let imageURL: ResourceURL
    /// The digest of the image as downloaded; nil where the release does not pin it.
    public let imageHash: SHA256Digest?
    /// What changed.
    public let changelogURL: String?

    /// A release that is known.
    public init(
        reference: ReleaseReference, releaseName: String? = nil, channelURL: ResourceURL? = nil, imageURL: ResourceURL,
        imageHash: SHA256Digest? = nil, changelogURL: String? = nil
    ) {
        self.reference = reference
        self.releaseName = releaseName
        self.channelURL = channelURL
        self.imageURL = imageURL
        self.imageHash = imageHash
        self.changelogURL = changelogURL
    }
}

extension ResolvedRelease: Encodable {
    enum CodingKeys: String, CodingKey {
        case release
        case releaseName = "release_name"
        case channelURL = "channel_url"
        case imageURL = "image_url"
        case imageHash = "image_sha256"
        case changelogURL = "changelog_url"
    }

    /// Encodes every key, null where nothing is known; URLs without what may be a secret.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(reference.description, forKey: .release)
        try values.encode(releaseName, forKey: .releaseName)
        try values.encode(channelURL?.redacted, forKey: .channelURL)
        try values.encode(imageURL.redacted, forKey: .imageURL)
        try values.encode(imageHash, forKey: .imageHash)
        try values.encode(changelogURL, forKey: .changelogURL)
    }
}
