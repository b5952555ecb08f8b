#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Adds a release to a catalog in a folder: the image is copied into it, with its digest.
package struct ReleasePublication: Sendable {
    package var channel: ChannelName
    package var release: ReleaseName
    /// The channel that guests follow.
    package var channelURL: ResourceURL?
    /// The URL under which the catalog's folder is served; nil for one that is used on this machine.
    package var servedAt: ResourceURL?

    package init(channel: ChannelName, release: ReleaseName, channelURL: ResourceURL?, servedAt: ResourceURL?) {
        self.channel = channel
        self.release = release
        self.channelURL = channelURL
        self.servedAt = servedAt
    }

    /// Publishes: the release becomes the latest one of its channel. Doing it again with the same image and channel
    /// changes nothing, and completes what a crash left undone; the latest release stays the latest.
    /// - Parameter judge: Looks at the copy before it counts, and throws where it is none that VMs can start from.
    /// - Returns: The metadata as published.
    /// - Throws: `alreadyExists` where the release exists with another image or channel, `unsupported` for a catalog
    ///   behind HTTP, `invalidArgument` for the release name `index`, which stands for the channel,
    ///   `refused` for URLs with a user name or a password, and what `judge`
    ///   throws.
    package func publish(
        _ image: FileDescriptor, name: String, into catalog: ReleaseCatalog, clock: any SystemClock,
        judge: @escaping @Sendable (FileDescriptor) throws -> Void
    ) async throws -> ReleaseMetadata {
        guard case .folder(let folder) = catalog.location else {
            throw DevhostError(
                .unsupported, "cannot publish into \(catalog.name): it is not a folder of this machine",
                next: "publish into a folder and let a web server serve it")
        }
        try channelURL?.requireNoCredentials(as: "channel")
        try servedAt?.requireNoCredentials(as: "address of a catalog")
        guard release.description != "index" else {
            throw DevhostError(.invalidArgument, "a release cannot be called index", next: "choose another name")
        }
        let path = "\(folder)/\(channel)"
        try Files.createDirectory(folder, mode: 0o755)
        try Files.createDirectory(path, mode: 0o755)
        let lock = try await FileLock.acquire(
            "\(folder)/.publish.lock", holder: "the publishing of \(channel)/\(release)", limit: .seconds(3600),
            clock: clock)
        defer { withExtendedLifetime(lock) {} }

        let temporary = "\(path)/.\(release).qcow2.part"
        unlink(temporary)
        defer { unlink(temporary) }
        try Effects.announce(.file, "create \(temporary)")
        let copy = try FileDescriptor.open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        let size = try image.size(path: name)
        try FreeSpace.require([(path, size)], for: "the release \(channel)/\(release)")
        let digest = try await Blocking.run {
            let digest = try Self.copy(image, name, to: copy, temporary)
            try judge(copy)
            guard fchmod(copy.number, 0o644) == 0 else {
                throw DevhostError.posix("cannot change the mode of \(temporary)")
            }
            try copy.synchronize(path: temporary)
            return digest
        }
        let metadata = try metadata(digest, catalog)
        if Files.exists("\(path)/\(release).json") {
            try checkSame(try await catalog.metadata(channel, release), metadata)
            if catalog.lists(release, in: channel, of: folder) { return metadata }
        }
        try Files.rename(temporary, to: "\(path)/\(release).qcow2")
        try catalog.add(metadata, as: release, in: channel, of: folder)
        return metadata
    }

    private static func copy(_ image: FileDescriptor, _ name: String, to copy: FileDescriptor, _ path: String) throws
        -> SHA256Digest
    {
        let hasher = try SHA256Hasher()
        while true {
            let part = try image.read(upTo: 1 << 20, path: name)
            if part.isEmpty { return try hasher.finish() }
            try part.withUnsafeBytes { try hasher.update($0) }
            try copy.write(part, path: path)
        }
    }

    private func metadata(_ digest: SHA256Digest, _ catalog: ReleaseCatalog) throws -> ReleaseMetadata {
        let image = "\(channel)/\(release).qcow2"
        var metadata = ReleaseMetadata()
        metadata.channelURL = channelURL?.description
        metadata.imageURL =
            try servedAt.map { "\($0)" + ("\($0)".hasSuffix("/") ? "" : "/") + image }
            ?? catalog.url(image).description
        metadata.imageHash = digest.subresourceIntegrity
        metadata.releaseName = release.description
        metadata.isRolling = false
        return metadata
    }

    private func checkSame(_ existing: ReleaseMetadata, _ wanted: ReleaseMetadata) throws {
        let hashes = try [existing, wanted].map { try $0.imageHash.map { try SHA256Digest(subresourceIntegrity: $0) } }
        guard hashes[0] == hashes[1], existing.channelURL == wanted.channelURL else {
            let image = "the image \(hashes[0]?.description ?? "without a digest")"
            throw DevhostError(
                .alreadyExists,
                "the release \(channel)/\(release) exists with \(image) and the channel \(existing.channelURL ?? "none"), "
                    + "which differs from \(hashes[1]?.description ?? "none") and \(wanted.channelURL ?? "none")",
                next: "a release never changes: publish it under another name")
        }
    }
}
