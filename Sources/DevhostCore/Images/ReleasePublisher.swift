import Glibc

extension ReleaseCatalog {
    /// Adds a local qcow2 image to a catalog in a folder as a release, which becomes the latest one of its channel.
    /// Doing it again with the same image and channel changes nothing.
    /// - Parameters:
    ///   - image: The path of the image. Its file is copied, and the copy judged like every image.
    ///   - folders: The folders from which the image may be taken; nil for a caller who may read all that this process
    ///     may.
    ///   - channelURL: The channel that guests follow.
    ///   - servedAt: The URL under which the catalog's folder is served to other devhosts; nil for one that is used on
    ///     this machine.
    /// - Returns: The metadata as published.
    /// - Throws: `refused` for an image that is not a good qcow2 image, `notFound`, `permissionDenied`,
    ///   `insufficientSpace`, `alreadyExists` where the release exists with another image or channel, `unsupported` for a
    ///   catalog behind HTTP.
    @discardableResult
    public func publish(
        image: String, as release: ReleaseName, in channel: ChannelName, from folders: [String]?,
        channelURL: ResourceURL? = nil, servedAt: ResourceURL? = nil, limits: ImageLimits = ImageLimits(),
        clock: any SystemClock = RealClock()
    ) async throws -> ReleaseMetadata {
        try await publish(
            image: image, as: release, in: channel, from: folders, channelURL: channelURL, servedAt: servedAt,
            limits: limits, rights: nil, clock: clock)
    }

    /// The same for somebody, who is noted and held to the rules.
    func publish(
        image: String, as release: ReleaseName, in channel: ChannelName, from folders: [String]?,
        channelURL: ResourceURL?, servedAt: ResourceURL? = nil, limits: ImageLimits, rights: PublishingRights?,
        clock: any SystemClock
    ) async throws -> ReleaseMetadata {
        let file = try folders.map { try ConfinedFiles(folders: $0).open(image) } ?? Self.openRegular(image)
        let judge = ImageJudge(maximumVirtualSize: limits.virtualSize)
        let name = image.quoted
        return try await ReleasePublication(
            channel: channel, release: release, channelURL: channelURL, servedAt: servedAt
        ).publish(file, name: name, into: self, rights: rights, clock: clock) { copy in
            _ = try judge.judge(copy, name: name)
        }
    }

    private static func openRegular(_ path: String) throws -> FileDescriptor {
        let file = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK)
        var status = stat()
        guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw DevhostError(.refused, "\(path.quoted) is not a regular file")
        }
        return file
    }
}
