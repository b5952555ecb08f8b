extension Devhost {
    /// What the caller may do to the channels of the catalog.
    private var publishingRights: PublishingRights {
        PublishingRights(
            user: caller.name, isAdministrator: caller.isAdministrator, isCounted: caller.userID != 0,
            rules: configuration.channels)
    }

    /// Adds an image of this machine to the catalog as a release, which becomes the latest one of its channel.
    /// - Parameters:
    ///   - image: Its absolute path. On behalf of somebody else, through sudo, it must lie in a folder that devhost.cfg
    ///     lists, like every image that is given as a file.
    ///   - channelURL: The channel that guests follow.
    /// - Returns: The metadata as published.
    /// - Throws: What `ReleaseCatalog.publish` throws; `permissionDenied` for a channel that `[releases] publish` and
    ///   `publishers` keep for others; `refused` for one release more than `user-releases` and `user-size` allow.
    @discardableResult
    public func publish(
        image: String, as release: ReleaseName, in channel: ChannelName, channelURL: ResourceURL? = nil
    ) async throws -> ReleaseMetadata {
        var limits = ImageLimits()
        limits.virtualSize = configuration.maximumImageSize
        return try await audited(.publishRelease, object: "\(channel)/\(release)") {
            try await catalog.publish(
                image: image, as: release, in: channel, from: caller.isElevated ? configuration.imageFolders : nil,
                channelURL: channelURL, limits: limits, rights: publishingRights, clock: clock)
        }
    }

    /// Removes releases from a channel of the catalog. VMs that were made from them keep their images, and the store of
    /// images keeps those as long as a VM uses them.
    /// - Parameter isForced: Whether also releases go that VMs were made from.
    /// - Returns: The releases that were there.
    /// - Throws: `permissionDenied` for a channel that is not the caller's, unless they published the releases;
    ///   `conflict` for releases that VMs were made from; `unsupported` for a catalog behind HTTP.
    public func remove(
        releases: [ReleaseName], from channel: ChannelName, force isForced: Bool = false
    ) async throws -> [ReleaseName] {
        let names = releases.map(\.description).joined(separator: ",")
        return try await audited(.removeRelease, object: "\(channel)/\(names)") {
            try await catalog.remove(releases, from: channel, rights: publishingRights, clock: clock) { releases in
                if !isForced { try requireUnused(releases, of: channel) }
            }
        }
    }

    /// Removes a channel of the catalog with all its releases.
    /// - Parameter isForced: Whether it goes also where VMs were made from its releases.
    /// - Returns: The releases that were there.
    /// - Throws: What ``remove(releases:from:force:)`` throws.
    public func remove(channel: ChannelName, force isForced: Bool = false) async throws -> [ReleaseName] {
        try await audited(.removeChannel, object: channel.description) {
            try await catalog.remove(nil, from: channel, rights: publishingRights, clock: clock) { releases in
                if !isForced { try requireUnused(releases, of: channel) }
            }
        }
    }

    private func requireUnused(_ releases: [ReleaseName], of channel: ChannelName) throws {
        let records = try records.readable()
        for release in releases {
            let image = try catalog.url("\(channel)/\(release).qcow2").description
            let users = records.filter { record in
                switch record.reference {
                case .catalog(channel, release): true
                case .catalog(channel, nil): record.releaseName == release.description
                default: record.imageURL == image
                }
            }.map(\.name).sorted()
            guard !users.isEmpty else { continue }
            throw DevhostError(
                .conflict,
                "the release \(channel)/\(release) is what \(users.prefix(8).map { "\($0)" }.joined(separator: ", "))"
                    + (users.count > 8 ? " and \(users.count - 8) more" : "") + " were made from",
                next:
                    "give these VMs another release with 'fc-devhost rebuild', or use --force: they keep their image, "
                    + "and an ensure or rebuild that names the release fails")
        }
    }
}
