#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A catalog of releases: plain files behind HTTP or in a folder of this machine.
///
/// `CHANNEL/RELEASE.json` is the metadata of a release and `CHANNEL/` that of the latest one of a channel. A folder keeps
/// the latter as `CHANNEL/index.json`, in which the key `releases` lists the channel's releases too, as `channels` in
/// the `index.json` of the whole lists the channels: so a folder that any web server serves is a catalog as well, which
/// can be listed.
public struct ReleaseCatalog: Sendable {
    /// Where a catalog is.
    public enum Location: Sendable, Hashable {
        /// Below a URL, `http` or `https`.
        case server(ResourceURL)
        /// In a folder, by its absolute path.
        case folder(String)

        /// Parses `http://…`, `https://…`, `file:///…` or an absolute path.
        /// - Throws: `invalidArgument` for anything else, and for a URL with a query.
        public init(_ text: String) throws(DevhostError) {
            if text.hasPrefix("/") {
                self = .folder(text)
                return
            }
            let url = try ResourceURL(text)
            guard !text.contains("?"), !text.contains("#") else {
                throw DevhostError(
                    .invalidArgument, "\(url.redacted) cannot be a catalog: it has a query or a fragment")
            }
            self = url.scheme == .file ? .folder(url.path) : .server(url)
        }
    }

    /// A document of the catalog, and where it lies.
    struct Document {
        var metadata: ReleaseMetadata
        var url: ResourceURL
    }

    /// The file of a folder that stands for the folder.
    static let index = "index.json"

    /// Where the catalog is.
    public let location: Location
    let http: HTTPTransfer

    /// A catalog.
    public init(_ location: Location, limits: HTTPLimits = HTTPLimits()) {
        self.location = location
        http = HTTPTransfer(limits: limits)
    }

    /// The catalog in words.
    var name: String {
        switch location {
        case .server(let url): url.redacted
        case .folder(let path): path
        }
    }

    // MARK: Reading

    /// The metadata of a release, or of the latest one of a channel.
    /// - Throws: `notFound` where there is none, `damaged`, and what fetching it throws.
    public func metadata(_ channel: ChannelName, _ release: ReleaseName?) async throws -> ReleaseMetadata {
        try await document(channel, release).metadata
    }

    func document(_ channel: ChannelName, _ release: ReleaseName?) async throws -> Document {
        if let release {
            return try await document(
                "\(channel)/\(release).json", missing: "there is no release \(release) in the channel \(channel)")
        }
        let missing = "there is no channel \(channel), or no release in it,"
        switch location {
        case .server:
            do {
                return try await document("\(channel)/", missing: missing)
            } catch let error as DevhostError
                where error.code == .notFound || error.code == .permissionDenied || error.code == .damaged
            {
                // A server of plain files lists a folder, or forbids it.
                do {
                    return try await document("\(channel)/\(Self.index)", missing: missing)
                } catch let other as DevhostError where other.code == .notFound {
                    throw error
                }
            }
        case .folder(let folder):
            if Files.exists("\(folder)/\(channel)/\(Self.index)") {
                return try await document("\(channel)/\(Self.index)", missing: missing)
            }
            guard let latest = try releaseNames(in: "\(folder)/\(channel)").last else {
                throw DevhostError(.notFound, "\(missing) of the catalog \(name)")
            }
            return try await document("\(channel)/\(latest).json", missing: missing)
        }
    }

    private func document(_ path: String, missing: String) async throws -> Document {
        let url = try url(path)
        do {
            return Document(metadata: try ReleaseMetadata.parse(try await bytes(url), source: url.redacted), url: url)
        } catch let error as DevhostError where error.code == .notFound {
            throw DevhostError(.notFound, "\(missing) of the catalog \(name)", underlying: error)
        }
    }

    func bytes(_ url: ResourceURL) async throws -> [UInt8] {
        switch location {
        case .server: try await http.document(url)
        case .folder: try Files.read(url.path, limit: 1 << 20)
        }
    }

    package func url(_ path: String) throws -> ResourceURL {
        switch location {
        case .server(let base):
            try ResourceURL(base.description + (base.description.hasSuffix("/") ? "" : "/") + path)
        case .folder(let folder):
            try ResourceURL(URL(filePath: "\(folder)/\(path)", directoryHint: .notDirectory).absoluteString)
        }
    }

    /// The releases of which a folder holds metadata, in their order; none where there is no such folder.
    func releaseNames(in folder: String) throws -> [ReleaseName] {
        guard Files.isDirectory(folder) else { return [] }
        return try Files.names(in: folder).compactMap { name in
            guard name.hasSuffix(".json"), name != Self.index else { return nil }
            return try? ReleaseName(String(name.dropLast(5)))
        }.sorted()
    }
}
