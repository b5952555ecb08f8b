/// Where an image comes from, and for whom.
public struct ImageSource: Sendable, Hashable {
    /// Its URL.
    public var url: ResourceURL
    /// The release that names it; nil for an image that was given by its URL.
    public var releaseName: String?

    /// A source.
    public init(url: ResourceURL, releaseName: String? = nil) {
        self.url = url
        self.releaseName = releaseName
    }

    /// What the name of the file, on this machine or at the end of the redirects, says that it holds.
    enum Claim: Hashable {
        /// `.raw`: a raw disk and nothing else.
        case raw
        /// `.img`: a raw disk, or, as many publish them, a qcow2 image.
        case image
        /// Neither.
        case none
    }

    /// What the paths that led to a file say of it; the last one that says something counts.
    static func claim(_ paths: [String]) -> Claim {
        for path in paths.reversed() {
            var name = path.lowercased()[...]
            for suffix in [".xz", ".zst", ".zstd", ".gz"] where name.hasSuffix(suffix) {
                name = name.dropLast(suffix.count)
                break
            }
            if name.hasSuffix(".raw") { return .raw }
            if name.hasSuffix(".img") { return .image }
        }
        return .none
    }
}
