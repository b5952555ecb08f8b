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
    /// - Parameters:
    ///   - rights: Who publishes, to be noted and held to the rules; nil for nobody in particular.
    ///   - judge: Looks at the copy before it counts, and throws where it is none that VMs can start from.
    /// - Returns: The metadata as published.
    /// - Throws: `permissionDenied` for a channel that is not theirs, `refused` for one release too many and for an image
    ///   that grows while it is copied,
    ///   `alreadyExists` where the release exists with another image or channel, `unsupported` for a catalog
    ///   behind HTTP, `invalidArgument` for the release name `index`, which stands for the channel,
    ///   `refused` for URLs with a user name or a password, and what `judge`
    ///   throws.
    package func publish(
        _ image: FileDescriptor, name: String, into catalog: ReleaseCatalog, rights: PublishingRights? = nil,
        clock: any SystemClock, judge: @escaping @Sendable (FileDescriptor) throws -> Void
    ) async throws -> ReleaseMetadata {
        let folder = try catalog.requireFolder(to: "publish into")
        try channelURL?.requireNoCredentials(as: "channel")
        try servedAt?.requireNoCredentials(as: "address of a catalog")
        guard release.description != "index" else {
            throw DevhostError(.invalidArgument, "a release cannot be called index", next: "choose another name")
        }
        let path = "\(folder)/\(channel)"
        let size = try image.size(path: name)
        // Whoever is refused is told at once, and not after all who are before them.
        try require(rights, size, catalog, folder)
        try Files.createDirectory(folder, mode: 0o755)
        let lock = try await catalog.lock(folder, for: "the publishing of \(channel)/\(release)", clock: clock)
        defer { withExtendedLifetime(lock) {} }
        try catalog.sweep(folder)
        try require(rights, size, catalog, folder)
        try Files.createDirectory(path, mode: 0o755)
        // A channel without a release is none.
        defer { rmdir(path) }

        let temporary = "\(path)/\(ReleaseCatalog.partName(release))"
        defer { unlink(temporary) }
        try Effects.announce(.file, "create \(temporary)")
        let copy = try FileDescriptor.open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        let digest = try await Blocking.run {
            let digest = try copyImage(image, name, size, to: copy, temporary, in: path)
            try judge(copy)
            guard fchmod(copy.number, 0o644) == 0 else {
                throw DevhostError.posix("cannot change the mode of \(temporary)")
            }
            try copy.synchronize(path: temporary)
            return digest
        }
        let metadata = try metadata(digest, catalog)
        let exists = Files.exists("\(path)/\(release).json")
        if exists { try checkSame(try await catalog.metadata(channel, release), metadata) }
        if let rights { try note(rights.user, catalog, path, clock) }
        if exists, catalog.lists(release, in: channel, of: folder) { return metadata }
        try Files.rename(temporary, to: "\(path)/\(release).qcow2")
        try catalog.add(metadata, as: release, in: channel, of: folder)
        return metadata
    }

    /// Holds whoever publishes to the rules.
    private func require(
        _ rights: PublishingRights?, _ size: UInt64, _ catalog: ReleaseCatalog, _ folder: String
    ) throws {
        guard let rights else { return }
        let path = "\(folder)/\(channel)"
        let isThere = try !catalog.traces(in: path).isEmpty
        try rights.requireChange(channel, isThere ? try ReleasePublishers.read(path) : nil, to: "publish into")
        guard !Files.exists("\(path)/\(release).json") else { return }
        let others = try ReleasePublishers.usage(
            of: rights.user, in: try catalog.channelFolders(of: folder), without: "\(path)/\(release).qcow2")
        try rights.requireRoom(for: "the release \(channel)/\(release)", size: size, beside: others)
    }

    /// Notes who published, before there is anything that could count for nobody. A release that exists keeps who
    /// published it, and a channel its owner.
    private func note(_ user: String, _ catalog: ReleaseCatalog, _ path: String, _ clock: any SystemClock) throws {
        let isThere = try !catalog.traces(in: path).isEmpty
        var publishers = isThere ? try ReleasePublishers.read(path) : ReleasePublishers(owner: user)
        guard publishers.releases[release.description] == nil else { return }
        publishers.releases[release.description] = .init(publisher: user, date: Timestamp(clock.now))
        try publishers.write(path)
    }

    /// Copies as many bytes as the image had when it was opened, and no more: its owner may write to it meanwhile.
    private func copyImage(
        _ image: FileDescriptor, _ name: String, _ size: UInt64, to copy: FileDescriptor, _ path: String,
        in folder: String
    ) throws -> SHA256Digest {
        let hasher = try SHA256Hasher()
        var done: UInt64 = 0
        while true {
            if done.isMultiple(of: FreeSpace.step) {
                try FreeSpace.require(
                    [(folder, size - min(done, size))], for: "the release \(channel)/\(release)")
            }
            let part = try image.read(upTo: 1 << 20, path: name)
            if part.isEmpty { return try hasher.finish() }
            done += UInt64(part.count)
            guard done <= size else {
                throw DevhostError(
                    .refused, "\(name) grows while it is copied", next: "publish it when nobody writes to it any more")
            }
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
