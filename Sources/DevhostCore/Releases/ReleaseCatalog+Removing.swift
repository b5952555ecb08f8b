#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension ReleaseCatalog {
    /// The catalog's folder.
    /// - Throws: `unsupported` for a catalog behind HTTP.
    package func requireFolder(to verb: String) throws -> String {
        guard case .folder(let folder) = location else {
            throw DevhostError(
                .unsupported, "cannot \(verb) \(name): it is not a folder of this machine",
                next: "do it on the machine whose folder a web server serves there")
        }
        return folder
    }

    /// Takes the lock under which a catalog in a folder is changed.
    func lock(_ folder: String, for work: String, clock: any SystemClock) async throws -> FileLock {
        try await FileLock.acquire(
            "\(folder)/.publish.lock", holder: work, limit: .seconds(3600), clock: clock)
    }

    /// The folders of channels in a catalog's folder, with whatever lies in them.
    func channelFolders(of folder: String) throws -> [String] {
        try Files.names(in: folder).filter { (try? ChannelName($0)) != nil }.map { "\(folder)/\($0)" }.filter {
            !Files.isLink($0) && Files.isDirectory($0)
        }
    }

    /// The image of a release that is being copied, in its channel's folder.
    static func partName(_ release: ReleaseName) -> String { ".\(release).qcow2.part" }

    /// What a publication that was killed left: parts of images, and folders of channels without a file. The caller
    /// holds the catalog's lock.
    func sweep(_ folder: String) throws {
        for name in try Files.names(in: folder) where Files.isTemporary(name) { try Files.remove("\(folder)/\(name)") }
        for channel in try channelFolders(of: folder) {
            var names = try Files.names(in: channel)
            for name in names where name.hasPrefix(".") && name.hasSuffix(".qcow2.part") || Files.isTemporary(name) {
                try Files.remove("\(channel)/\(name)")
                names.removeAll { $0 == name }
            }
            if names.isEmpty { try Files.removeDirectory(channel) }
        }
    }

    /// Every name in a channel's folder of which something is left: metadata, an image, or who published it.
    func traces(in path: String) throws -> Set<ReleaseName> {
        let images = try Files.names(in: path).filter { $0.hasSuffix(".qcow2") }.map { String($0.dropLast(6)) }
        let noted = (try? ReleasePublishers.read(path))?.releases.keys.map { $0 } ?? []
        return Set(try releaseNames(in: path) + (images + noted).compactMap { try? ReleaseName($0) })
    }

    /// Removes releases of a channel: the index forgets them first, then go their metadata and their images, so that
    /// nobody finds one in part. With its last release the channel goes. One that is killed is completed by the next.
    /// - Parameters:
    ///   - releases: The releases; nil for all, and whatever else publishing left of the channel.
    ///   - check: Throws where one of them is to stay.
    /// - Returns: Those that were there.
    /// - Throws: `permissionDenied` for whose channel or release it is not, `unsupported` for a catalog behind HTTP, and
    ///   what `check` throws, before anything is removed.
    package func remove(
        _ releases: [ReleaseName]?, from channel: ChannelName, rights: PublishingRights?, clock: any SystemClock,
        check: ([ReleaseName]) throws -> Void = { _ in }
    ) async throws -> [ReleaseName] {
        let folder = try requireFolder(to: "remove releases from")
        let path = "\(folder)/\(channel)"
        guard Files.isDirectory(path), !Files.isLink(path) else { return [] }
        try requireRemoval(of: releases, from: channel, in: path, rights)
        let lock = try await lock(folder, for: "the removal of releases of \(channel)", clock: clock)
        defer { withExtendedLifetime(lock) {} }
        guard Files.isDirectory(path) else { return [] }
        try requireRemoval(of: releases, from: channel, in: path, rights)
        let present = try traces(in: path)
        let wanted = (releases.map { Set($0) } ?? present).intersection(present).sorted()
        guard !wanted.isEmpty || releases == nil else { return [] }
        try check(wanted)
        try sweep(folder)
        try writeIndexes(of: channel, in: folder, without: Set(wanted))
        for release in wanted {
            try Files.remove("\(path)/\(release).json")
            try Files.remove("\(path)/\(release).qcow2")
        }
        if present.isSubset(of: wanted) {
            try Files.remove("\(path)/\(ReleasePublishers.file)")
            // What others put there stays, and so does its folder.
            if try Files.names(in: path).isEmpty { try Files.removeDirectory(path) }
        } else if var publishers = try? ReleasePublishers.read(path), Files.exists("\(path)/\(ReleasePublishers.file)")
        {
            for release in wanted { publishers.releases[release.description] = nil }
            try publishers.write(path)
        }
        return wanted
    }

    private func requireRemoval(
        of releases: [ReleaseName]?, from channel: ChannelName, in path: String, _ rights: PublishingRights?
    ) throws {
        guard let rights else { return }
        // Administrators may remove a channel whose file cannot be read, and everybody the folder of one that has gone.
        if try rights.isAdministrator || traces(in: path).isEmpty { return }
        let publishers = try ReleasePublishers.read(path)
        // What somebody published counts for them, so they can always take it away.
        let isOwn = releases?.allSatisfy { publishers.releases[$0.description]?.publisher == rights.user } ?? false
        if !isOwn { try rights.requireChange(channel, publishers, to: "remove from") }
    }

    /// Writes the lists of a channel and of the catalog for when some releases have gone.
    private func writeIndexes(of channel: ChannelName, in folder: String, without gone: Set<ReleaseName>) throws {
        let path = "\(folder)/\(channel)"
        let left = try releaseNames(in: path).filter { !gone.contains($0) }
        if left.isEmpty, Files.exists("\(folder)/\(Self.index)") { try writeChannels(of: folder, without: channel) }
        let index = "\(path)/\(Self.index)"
        guard Files.exists(index) else { return }
        func metadata(_ file: String) -> ReleaseMetadata? {
            (try? Files.read(file, limit: 16 << 20)).flatMap { try? ReleaseMetadata.parse($0, source: file) }
        }
        let current = metadata(index)
        // Where the latest one goes, the last by name follows, as in a folder without an index.
        let isLeft = left.contains { $0.description == current?.releaseName }
        let latest = isLeft ? current : left.reversed().lazy.compactMap { metadata("\(path)/\($0).json") }.first
        if let latest {
            try writeIndex(latest: latest, releases: left, of: path)
        } else {
            try Files.remove(index)
        }
    }
}
