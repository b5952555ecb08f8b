#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Finds out what release references stand for.
public struct ReleaseResolver: Sendable {
    private let catalog: ReleaseCatalog?
    private let hydra: Hydra?
    private let files: ConfinedFiles
    private let ledger: ReleaseLedger?
    private let http: HTTPTransfer

    /// A resolver.
    /// - Parameters:
    ///   - catalog: What `fcrs://` stands for; nil where devhost.cfg names none.
    ///   - hydra: What evaluations stand for; nil where devhost.cfg names none.
    ///   - fileFolders: The folders in which metadata given as `file://` may lie.
    ///   - ledger: What remembers the images of releases; nil for one who only looks.
    ///   - limits: The time limits of what is fetched.
    public init(
        catalog: ReleaseCatalog?, hydra: Hydra?, fileFolders: [String] = [], ledger: ReleaseLedger? = nil,
        limits: HTTPLimits = HTTPLimits()
    ) {
        self.catalog = catalog
        self.hydra = hydra
        files = ConfinedFiles(folders: fileFolders)
        self.ledger = ledger
        http = HTTPTransfer(limits: limits)
    }

    /// Resolves a reference.
    /// - Throws: `invalidConfiguration` where devhost.cfg lacks the catalog or the Hydra server, `notFound`,
    ///   `unavailable` and `timedOut` where it cannot be fetched, `damaged` for what is no metadata, `refused` for a
    ///   release without a dev image or with another one than it once had and for URLs with a user name or a password,
    ///   `permissionDenied` for a file outside of the folders that are listed.
    public func resolve(_ reference: ReleaseReference) async throws -> ResolvedRelease {
        if case .metadata(let url) = reference { try url.requireNoCredentials(as: "metadata of a release") }
        let release = try await lookUp(reference)
        try release.imageURL.requireNoCredentials(as: "image")
        try release.channelURL?.requireNoCredentials(as: "channel")
        return release
    }

    private func lookUp(_ reference: ReleaseReference) async throws -> ResolvedRelease {
        switch reference {
        case .image(let url, let channel):
            return ResolvedRelease(reference: reference, channelURL: channel, imageURL: url)
        case .hydra(let evaluation):
            guard let hydra else {
                throw DevhostError(
                    .invalidConfiguration, "cannot resolve \(reference): devhost.cfg names no Hydra server")
            }
            let release = try await hydra.resolve(evaluation)
            try await ledger?.check("hydra:\(hydra.base.redacted) \(evaluation)", release.imageHash)
            return release
        case .catalog(let channel, let name):
            guard let catalog else {
                throw DevhostError(.invalidConfiguration, "cannot resolve \(reference): devhost.cfg names no catalog")
            }
            let document = try await catalog.document(channel, name)
            let release = try read(document.metadata, at: document.url, reference)
            // The latest release of a channel is another one in time; what it is called stays the same.
            if let name = name?.description ?? release.releaseName {
                try await ledger?.check("fcrs://\(channel)/\(name)", release.imageHash)
            }
            return release
        case .metadata(let url):
            let content = url.scheme == .file ? try fileContent(url) : try await http.document(url)
            let metadata = try ReleaseMetadata.parse(content, source: url.redacted)
            let release = try read(metadata, at: url, reference)
            if let name = release.releaseName {
                try await ledger?.check("\(url.redacted) \(name)", release.imageHash)
            }
            return release
        }
    }

    private func fileContent(_ url: ResourceURL) throws -> [UInt8] {
        let limit = 1 << 20
        let content = try files.open(url.path).read(at: 0, count: limit + 1, path: url.redacted)
        guard content.count <= limit else {
            throw DevhostError(.refused, "\(url.redacted) is larger than \(limit) bytes")
        }
        return content
    }

    /// Checks what a document says.
    private func read(_ metadata: ReleaseMetadata, at url: ResourceURL, _ reference: ReleaseReference) throws
        -> ResolvedRelease
    {
        guard let image = metadata.imageURL, !image.isEmpty else {
            throw DevhostError(
                .refused, "the release \(reference) has no dev image (devhost_image_url is missing)",
                next: "choose a release that has one")
        }
        func value<Value>(_ key: String, _ parse: () throws -> Value) throws -> Value {
            do {
                return try parse()
            } catch let error as DevhostError {
                throw DevhostError(.damaged, "the release \(reference) has an unusable \(key)", underlying: error)
            }
        }
        return ResolvedRelease(
            reference: reference, releaseName: metadata.releaseName.map(\.printable),
            channelURL: try value("channel_url") { try metadata.channelURL.map { try ResourceURL($0) } },
            imageURL: try value("devhost_image_url") { try Self.absolute(image, at: url) },
            imageHash: try value("devhost_image_hash") {
                try metadata.imageHash.map { try SHA256Digest(subresourceIntegrity: $0) }
            },
            changelogURL: metadata.changelogURL.map(\.printable))
    }

    /// A URL as it stands, or relative to the document that it stands in.
    private static func absolute(_ text: String, at document: ResourceURL) throws -> ResourceURL {
        if text.contains("://") { return try ResourceURL(text) }
        guard let base = URL(string: document.description), let url = URL(string: text, relativeTo: base) else {
            return try ResourceURL(text)
        }
        return try ResourceURL(url.absoluteURL.absoluteString)
    }
}
