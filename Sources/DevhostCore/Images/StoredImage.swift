/// What the store knows of an image: the JSON file beside the qcow2 file. An image without one is not complete.
struct StoredImage: Codable, Sendable, Hashable {
    /// A URL that the image came from.
    struct Source: Codable, Sendable, Hashable {
        /// The URL without user name, password and query.
        var url: String
        /// The digest of the whole URL, by which it is found again although it may hold secrets.
        var key: SHA256Digest
        /// What the server said of it last.
        var validators: HTTPValidators
        /// When it was asked for last.
        var checked: Timestamp
    }

    /// The digest of the bytes that were downloaded, which releases pin and which names the image.
    var sha256: SHA256Digest
    /// The number of those bytes.
    var downloadSize: UInt64
    /// The digest of the qcow2 file as stored: another one where the download was compressed or raw.
    var storedSHA256: SHA256Digest
    /// The size of the qcow2 file in bytes.
    var storedSize: UInt64
    /// The size that a guest sees, in bytes.
    var virtualSize: UInt64
    var sources: [Source]
    var releaseNames: [String]
    var firstUse: Timestamp
    var lastUse: Timestamp
    /// The user for whom it came into the store; nil where an older version took it.
    var fetchedBy: String?

    enum CodingKeys: String, CodingKey {
        case sha256
        case downloadSize = "download_size"
        case storedSHA256 = "stored_sha256"
        case storedSize = "stored_size"
        case virtualSize = "virtual_size"
        case sources
        case releaseNames = "release_names"
        case firstUse = "first_use"
        case lastUse = "last_use"
        case fetchedBy = "fetched_by"
    }

    /// How many sources and names of releases are kept, the newest ones: anybody can bring any number of them.
    static let mostSources = 16
    static let mostReleaseNames = 64

    /// The longest URL that a source may have: the longest that ``ResourceURL`` takes, and some that must be escaped in
    /// what is shown of it.
    static let longestURL = 3 * 4096

    /// Without what servers and callers could fill a record with before these bounds held: the rest is kept, so that an
    /// image in use stays what it is.
    var bounded: StoredImage {
        var image = self
        image.sources = sources.suffix(Self.mostSources).filter { $0.url.utf8.count <= Self.longestURL }.map {
            var source = $0
            source.validators = $0.validators.bounded
            return source
        }
        image.releaseNames = releaseNames.suffix(Self.mostReleaseNames).filter { ReleaseMetadata.isName($0) }
        return image
    }

    /// Takes note of where the image came from, and that it is being used.
    mutating func note(_ source: Source?, releaseName: String?, at now: Timestamp) {
        if let source {
            sources.removeAll { $0.key == source.key }
            sources = (sources + [source]).suffix(Self.mostSources)
        }
        if let releaseName, ReleaseMetadata.isName(releaseName), !releaseNames.contains(releaseName) {
            releaseNames = (releaseNames + [releaseName]).suffix(Self.mostReleaseNames)
        }
        lastUse = max(lastUse, now)
    }
}
