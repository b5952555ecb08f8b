extension ImageStore {
    /// Takes an image in while there is room for it among those that its user has fetched and no VM uses. The least recently
    /// used ones of that user go for it; those of others never do, and neither does one over which a disk is being made.
    /// - Throws: `refused` where there is not enough room, and what the body throws.
    func withRoom(
        for size: UInt64, _ name: String, _ progress: ProgressHandler, _ body: () async throws -> Void
    ) async throws {
        guard let fetcher, let bound = fetcher.bound else { return try await body() }
        guard size <= bound else { throw fetcher.refusal(of: name, size, beside: 0) }
        let key = try SHA256Hasher.digest(Array(fetcher.user.utf8))
        try await locked("user-\(key)", .exclusive, doing: "the storing of an image", progress) {
            let gone = try await makeRoom(size, name, fetcher, bound, progress)
            if !gone.isEmpty { try await fetcher.haveGone(gone) }
            try await body()
        }
    }

    /// Lets a user fetch as many images at a time as ``ImageFetcher/mostDownloads``: those on their way occupy the disk too.
    func fetching<Result>(
        _ source: ImageSource, _ progress: ProgressHandler, _ body: () async throws -> Result
    ) async throws -> Result {
        guard let fetcher, fetcher.bound != nil else { return try await body() }
        let user = try SHA256Hasher.digest(Array(fetcher.user.utf8))
        let keys = (0..<ImageFetcher.mostDownloads).map { "user-\(user)-\($0)" }
        let doing = "the download of \(source.url.redacted)"
        for key in keys {
            guard let lock = try await lockIfFree(key, doing: doing) else { continue }
            defer { withExtendedLifetime(lock) {} }
            return try await body()
        }
        return try await locked(keys.randomElement() ?? keys[0], .exclusive, doing: doing, progress, body)
    }

    private func makeRoom(
        _ size: UInt64, _ name: String, _ fetcher: ImageFetcher, _ bound: UInt64, _ progress: ProgressHandler
    ) async throws -> Set<SHA256Digest> {
        let own = try await images().filter { $0.isComplete && $0.fetchedBy == fetcher.user }
        guard own.count >= fetcher.mostUnused || own.reduce(size, { $0 + $1.size }) > bound else { return [] }
        var locks: [SHA256Digest: FileLock] = [:]
        for image in own { locks[image.sha256] = try await lockIfFree(image.sha256.description) }
        let used = try await fetcher.inUse()
        let unused = own.filter { !used.contains($0.sha256) }
        let free = unused.filter { locks[$0.sha256] != nil }
        let held = unused.filter { locks[$0.sha256] == nil }.reduce(0) { $0 + $1.size }
        guard held + size <= bound else { throw fetcher.refusal(of: name, size, beside: held) }
        var (count, occupied) = (unused.count, unused.reduce(0) { $0 + $1.size })
        var gone: Set<SHA256Digest> = []
        for image in free.sorted(by: { Self.isUsedLater($1, $0) }) {
            guard count >= fetcher.mostUnused || occupied + size > bound else { break }
            try removeRecord(image.sha256)
            try await volumes.remove(volumeName(image.sha256))
            progress(.notice("the image \(image.sha256), which no VM uses, makes room for \(name)"))
            gone.insert(image.sha256)
            count -= 1
            occupied -= image.size
        }
        return gone
    }
}
