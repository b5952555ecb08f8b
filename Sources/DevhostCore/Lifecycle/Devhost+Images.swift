extension Devhost {
    /// What finds out what release references stand for, as devhost.cfg says.
    public var releases: ReleaseResolver { resolver(notesReleases: true) }

    private func resolver(notesReleases: Bool) -> ReleaseResolver {
        ReleaseResolver(
            catalog: catalog, hydra: configuration.hydra.map { Hydra($0) }, fileFolders: configuration.imageFolders,
            ledger: ReleaseLedger(path: layout.releaseLedger, isReadOnly: !notesReleases, clock: clock))
    }

    /// The catalog that `fcrs://` stands for.
    public var catalog: ReleaseCatalog { ReleaseCatalog(configuration.catalog) }

    /// The store of base images.
    func imageStore(_ libvirt: Connection, for work: String) -> ImageStore {
        var limits = ImageLimits()
        limits.virtualSize = configuration.maximumImageSize
        // A release of a local catalog names an image in the catalog's folder.
        var files = configuration.imageFolders
        if case .folder(let path) = configuration.catalog { files.append(path) }
        let folders = ImageStore.Folders(
            records: layout.images, work: layout.downloads, locks: layout.locks, files: files)
        let pool = HostPreparation.imagePool(configuration.network)
        let volumes = PoolVolumes(libvirt: libvirt, pool: pool, localFolder: layout.images)
        var store = ImageStore(
            folders: folders, volumes: volumes, limits: limits, holder: "\(work) of \(caller.name.printable)",
            clock: clock)
        // Root fills the disks of its own machine.
        store.fetcher = ImageFetcher(
            user: caller.name, bound: caller.userID == 0 ? nil : configuration.userUnusedImages,
            inUse: { Set(try await imageUsers(libvirt).keys) }, haveGone: { try await removeTemplates(of: $0) })
        return store
    }

    /// The release that a VM's disk was made from, pinned by the digest of its image.
    /// - Throws: `invalidArgument` where the record names no image.
    func recordedRelease(of record: VMRecord) throws -> ResolvedRelease {
        guard let text = record.imageURL, !text.isEmpty else {
            throw DevhostError(
                .invalidArgument, "nothing says which image \(record.name) starts from",
                next: "give --release, or --image-url with --channel-url")
        }
        let image = try ResourceURL(text)
        let channel = try record.channelURL.flatMap { try $0.isEmpty ? nil : ResourceURL($0) }
        return ResolvedRelease(
            reference: record.reference ?? .image(image, channel: channel), releaseName: record.releaseName,
            channelURL: channel, imageURL: image, imageHash: record.imageHash)
    }

    /// The base images, the one used last first, with the VMs whose disks lie over them.
    public func images() async throws -> [ListedImage] {
        let libvirt = try await preparedLibvirt()
        return try await imageStore(libvirt, for: "'images'").images(users: try await imageUsers(libvirt))
    }

    /// Removes images that no VM uses and that were not used for a while.
    /// - Parameters:
    ///   - days: How many days an image may be unused.
    ///   - budget: How many bytes all images may occupy; nil for no bound.
    ///   - isDryRun: Whether to tell only what would be removed.
    public func pruneImages(
        olderThanDays days: Int = 90, budget: UInt64? = nil, isDryRun: Bool = false
    ) async throws -> ImagePruneReport {
        guard !isDryRun else {
            return try await removeUnusedImages(olderThanDays: days, budget: budget, isDryRun: true)
        }
        return try await audited(.pruneImages) {
            try await removeUnusedImages(olderThanDays: days, budget: budget, isDryRun: false)
        }
    }

    func removeUnusedImages(olderThanDays days: Int, budget: UInt64?, isDryRun: Bool) async throws -> ImagePruneReport {
        let libvirt = try await preparedLibvirt()
        let report = try await imageStore(libvirt, for: "'images prune'").prune(
            olderThanDays: days, budget: budget, isDryRun: isDryRun
        ) {
            Set(try await imageUsers(libvirt).keys)
        }
        if !isDryRun && !report.removed.isEmpty { try await removeTemplates(of: Set(report.removed.map(\.sha256))) }
        return report
    }

    /// Finds out what a release reference stands for, and remembers nothing.
    /// - Throws: What `ReleaseResolver.resolve(_:)` throws.
    public func describe(_ reference: ReleaseReference) async throws -> ResolvedRelease {
        try await resolver(notesReleases: false).resolve(reference)
    }

    private func preparedLibvirt() async throws -> Connection {
        let libvirt = try await self.libvirt()
        try await HostPreparation(devhost: self, libvirt: libvirt).preparePools()
        return libvirt
    }

    /// The images below the disks that exist, with the VMs that these disks are named after: read from the disks, so
    /// that no count can be wrong.
    func imageUsers(_ libvirt: Connection) async throws -> [SHA256Digest: [VMName]] {
        let pool = HostPreparation.diskPool(configuration.network)
        var users: [SHA256Digest: [VMName]] = [:]
        guard try await libvirt.isPoolActive(pool) else { return users }
        for volume in try await libvirt.volumeNames(pool: pool) {
            guard let backing = try await libvirt.volumeBacking(pool: pool, name: volume) else { continue }
            let file = backing.split(separator: "/").last ?? ""
            guard let digest = try? SHA256Digest(hex: String(file.prefix { $0 != "." })) else { continue }
            // A VM that is being rebuilt has two disks.
            let name = layout.owner(ofDiskVolume: volume)
            let known = users[digest, default: []]
            users[digest] = known + [name].compactMap(\.self).filter { !known.contains($0) }
        }
        return users
    }
}
