/// What a pruning of the store did.
public struct ImagePruneReport: Sendable, Hashable, Codable {
    /// The images that were removed.
    public internal(set) var removed: [ListedImage] = []
    /// What that gave back, in bytes.
    public internal(set) var freed: UInt64 = 0
    /// What could not be removed, and why. The rest was removed all the same.
    public internal(set) var failures: [String] = []
}

extension ImageStore {
    /// The images of the store, the one used last first.
    /// - Parameter users: The VMs whose disks lie over an image.
    public func images(users: [SHA256Digest: [VMName]] = [:]) async throws -> [ListedImage] {
        var sizes: [SHA256Digest: UInt64] = [:]
        for volume in try await volumes.all() where volume.name.hasSuffix(".qcow2") {
            guard let digest = try? SHA256Digest(hex: String(volume.name.dropLast(6))) else { continue }
            sizes[digest] = volume.allocation
        }
        let digests = Set(sizes.keys).union(try recordedDigests())
        let images = digests.map { digest in
            let record = record(digest)
            return ListedImage(
                sha256: digest, size: sizes[digest] ?? 0, virtualSize: record?.virtualSize,
                sources: record?.sources.map(\.url) ?? [], releaseNames: record?.releaseNames ?? [],
                users: (users[digest] ?? []).sorted(), firstUse: record?.firstUse, lastUse: record?.lastUse,
                fetchedBy: record?.fetchedBy, isComplete: record != nil && sizes[digest] != nil)
        }
        return images.sorted { Self.isUsedLater($0, $1) }
    }

    static func isUsedLater(_ left: ListedImage, _ right: ListedImage) -> Bool {
        switch (left.lastUse, right.lastUse) {
        case (let left?, let right?) where left != right: left > right
        case (.some, nil): true
        case (nil, .some): false
        default: left.sha256.description < right.sha256.description
        }
    }

    /// Removes images that no VM uses: those that were not used for a number of days, then the least recently used ones
    /// until all images together fit a budget; and everything that a crash left behind. An image that is being
    /// downloaded, or over which a disk is being made, stays.
    /// - Parameters:
    ///   - days: How many days an image may be unused.
    ///   - budget: How many bytes all images may occupy; nil for no bound.
    ///   - inUse: The images below the disks that exist. It is asked while the images that may go are locked, so that
    ///     no disk can be made over one of them after it has answered.
    ///   - isDryRun: Whether to tell only what would be removed.
    /// - Throws: What `inUse` throws: nothing is removed then.
    public func prune(
        olderThanDays days: Int = 90, budget: UInt64? = nil, isDryRun: Bool = false,
        inUse: @Sendable () async throws -> Set<SHA256Digest>
    ) async throws -> ImagePruneReport {
        try prepareFolders()
        var report = ImagePruneReport()
        var locks: [SHA256Digest: FileLock] = [:]
        for image in try await images() { locks[image.sha256] = try await lockIfFree(image.sha256.description) }
        let used = try await inUse()
        let all = try await images()
        let free = all.filter { locks[$0.sha256] != nil && !used.contains($0.sha256) }
        for image in Self.choose(free: free, all: all, days: days, budget: budget, now: now) {
            do {
                if isDryRun {
                    report.removed.append(image)
                    continue
                }
                try removeRecord(image.sha256)
                try await volumes.remove(volumeName(image.sha256))
                report.removed.append(image)
                report.freed += image.size
            } catch {
                report.failures.append("cannot remove the image \(image.sha256): \(error)")
            }
        }
        locks = [:]
        if !isDryRun { try await removeLeftovers() }
        return report
    }

    /// Which images go, of those that may, the least recently used one first.
    static func choose(
        free: [ListedImage], all: [ListedImage], days: Int, budget: UInt64?, now: Timestamp
    ) -> [ListedImage] {
        let oldestFirst = free.sorted { isUsedLater($1, $0) }
        var occupied = all.reduce(0) { $0 + $1.size }
        return oldestFirst.filter { image in
            let isOld = image.lastUse.map { now.date.timeIntervalSince($0.date) >= Double(days) * 86400 } ?? true
            guard !image.isComplete || isOld || budget.map({ occupied > $0 }) ?? false else { return false }
            occupied -= image.size
            return true
        }
    }

    /// The keys of downloads that nobody is working on any more.
    func leftovers() throws -> [String] {
        Set(try Files.names(in: folders.work).compactMap(WorkFiles.key(of:))).filter { !FileLock.isHeld(lockPath($0)) }
            .sorted()
    }

    /// Whether somebody is fetching an image or making a disk over it.
    func isLocked(_ digest: SHA256Digest) -> Bool { FileLock.isHeld(lockPath(digest.description)) }

    /// What shows that the file of an image is not the one that was stored, without reading all of it; nil where
    /// nothing does, or where it lies on another machine.
    func damage(of digest: SHA256Digest) -> String? {
        guard let folder = volumes.localFolder, let record = record(digest) else { return nil }
        let path = "\(folder)/\(volumeName(digest))"
        guard let status = Files.status(path) else { return "the file \(path) is missing" }
        if status.size != record.storedSize {
            return "the file \(path) has \(status.size) bytes, and had \(record.storedSize) when it was stored"
        }
        return status.isReadOnly ? nil : "the file \(path) can be written to"
    }

    /// Removes downloads that nobody is working on any more.
    private func removeLeftovers() async throws {
        for key in try leftovers() {
            guard let lock = try await lockIfFree(key) else { continue }
            WorkFiles(folder: folders.work, key: key).remove()
            withExtendedLifetime(lock) {}
        }
    }

    /// The lock of an image or a URL; nil where somebody holds it.
    func lockIfFree(_ key: String, doing: String = "the pruning of images") async throws -> FileLock? {
        do {
            return try await FileLock.acquire(
                lockPath(key), holder: "\(doing) by \(holder)", limit: .zero, clock: clock)
        } catch let error as DevhostError where error.code == .busy {
            return nil
        }
    }
}
