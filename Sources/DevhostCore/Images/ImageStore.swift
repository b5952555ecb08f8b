/// The base images of a devhost: verified, read-only, unchanged forever, below any number of overlays.
///
/// An image is named by the digest of the bytes that were downloaded, because that is what releases pin: whether it is
/// there is one look at `<sha256>.json`. The JSON file is written last and makes the image complete; a qcow2 file
/// without one is what a crash left, and is replaced.
///
/// An image whose digest is known beforehand is never asked for again. One that is named by its URL alone is looked up
/// by the URL, and the server is asked each time whether it has changed (`ETag`, `Last-Modified`; for a file its inode,
/// size and times): what has changed is another image. Where the server cannot be reached, what it gave last is used,
/// and a warning says so.
public struct ImageStore: Sendable {
    /// Where the parts of a store lie.
    public struct Folders: Sendable, Hashable {
        /// The JSON files; the folder of the qcow2 files where that is on this machine.
        public var records: String
        /// Downloads on their way. Nothing here has been judged: it must not be the folder of a libvirt pool.
        public var work: String
        /// The locks.
        public var locks: String
        /// The folders from which `file://` images may be taken.
        public var files: [String]

        /// Makes a value.
        public init(records: String, work: String, locks: String, files: [String] = []) {
            self.records = records
            self.work = work
            self.locks = locks
            self.files = files
        }
    }

    let folders: Folders
    let volumes: any BaseImageVolumes
    let limits: ImageLimits
    let clock: any SystemClock
    /// Who works, as others read it while they wait, for instance `'ensure demo' of alice`.
    let holder: String
    /// For whom images come in; nil where nobody is counted.
    package var fetcher: ImageFetcher?

    /// How old the noted last use may be before it is noted again.
    static let useGranularity = 3600.0

    /// A store.
    /// - Parameters:
    ///   - folders: Where its parts lie; they are made when they are needed.
    ///   - volumes: Where its qcow2 files lie.
    ///   - limits: What images may be.
    ///   - holder: Who works, for those who wait.
    ///   - clock: Where the time comes from.
    public init(
        folders: Folders, volumes: any BaseImageVolumes, limits: ImageLimits = ImageLimits(), holder: String,
        clock: any SystemClock = RealClock()
    ) {
        self.folders = folders
        self.volumes = volumes
        self.limits = limits
        self.holder = holder
        self.clock = clock
    }

    var judge: ImageJudge { ImageJudge(maximumVirtualSize: limits.virtualSize) }
    var transfer: HTTPTransfer { HTTPTransfer(limits: limits.http, clock: clock) }
    var now: Timestamp { Timestamp(clock.now) }

    /// Sees to it that an image is in the store.
    /// - Parameter expectedHash: The digest of its bytes as downloaded; nil where nobody has pinned it.
    /// - Returns: The image. Nothing keeps it from being pruned once this returns; ``withImage(_:expectedHash:progress:_:)``
    ///   does.
    /// - Throws: What ``withImage(_:expectedHash:progress:_:)`` throws.
    public func ensureImage(
        _ source: ImageSource, expectedHash: SHA256Digest? = nil, progress: @escaping ProgressHandler = { _ in }
    ) async throws -> BaseImage {
        try await withImage(source, expectedHash: expectedHash, progress: progress) { $0 }
    }

    /// Sees to it that an image is in the store and keeps it there while a body uses it, for instance to make an overlay.
    /// Two calls that need the same image download it once.
    /// - Parameter expectedHash: The digest of its bytes as downloaded; nil where nobody has pinned it.
    /// - Throws: `notFound`, `unavailable`, `timedOut`, `permissionDenied` for a source that gives nothing, `refused` for
    ///   an image that is not what it should be, `insufficientSpace`, `busy` when waiting for somebody else's download
    ///   took too long, and what the body throws.
    public func withImage<Result: Sendable>(
        _ source: ImageSource, expectedHash: SHA256Digest? = nil, progress: @escaping ProgressHandler = { _ in },
        _ body: @Sendable (BaseImage) async throws -> Result
    ) async throws -> Result {
        try prepareFolders()
        // Between its arrival and its use another process may prune an image; then it is fetched again.
        for _ in 0..<3 {
            let digest: SHA256Digest
            if let expectedHash {
                digest = expectedHash
            } else {
                digest = try await fetching(source, progress) {
                    try await currentDigest(of: source, progress: progress)
                }
            }
            let result = try await locked(digest.description, .shared, doing: "", progress) { () -> Result? in
                guard let image = try await completeImage(digest) else { return nil }
                try await requireGood(image)
                try await noteUse(of: digest, source: source, progress)
                return try await body(image)
            }
            if let result { return result }
            if expectedHash != nil {
                try await fetching(source, progress) { try await fetchPinned(source, digest, progress: progress) }
            }
        }
        throw DevhostError(
            .conflict, "the image \(source.url.redacted) is removed from the store again and again",
            next: "look for somebody who prunes images")
    }

    // MARK: Locks and files

    func prepareFolders() throws {
        try Files.createDirectory(folders.records, mode: 0o711)
        try Files.createDirectory(folders.work, mode: 0o700)
        try Files.createDirectory(folders.locks, mode: 0o700)
    }

    /// Holds the lock of one image, or of one URL, during a body.
    func locked<Result>(
        _ key: String, _ mode: FileLock.Mode, doing: String, limit: Duration? = nil, _ progress: ProgressHandler,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let lock = try await FileLock.acquire(
            lockPath(key), holder: "\(doing) by \(holder)", mode: mode,
            limit: limit ?? limits.lock, clock: clock
        ) { progress(.notice("waiting for \($0)")) }
        defer { withExtendedLifetime(lock) {} }
        return try await body()
    }

    func lockPath(_ key: String) -> String { "\(folders.locks)/_image-\(key).lock" }
    func volumeName(_ digest: SHA256Digest) -> String { "\(digest).qcow2" }
    private func recordPath(_ digest: SHA256Digest) -> String { "\(folders.records)/\(digest).json" }

    // MARK: Records

    /// The image, if it is complete.
    func completeImage(_ digest: SHA256Digest) async throws -> BaseImage? {
        guard let record = record(digest), let volume = try await volumes.volume(volumeName(digest)) else {
            return nil
        }
        return BaseImage(sha256: digest, path: volume.path, virtualSize: record.virtualSize)
    }

    /// What is known of an image; nil where there is nothing, or nothing that can be read: it is then fetched again.
    func record(_ digest: SHA256Digest) -> StoredImage? {
        guard let content = try? Files.read(recordPath(digest), limit: Self.largestRecord),
            let record = try? JSONCoding.decode(StoredImage.self, from: content), record.sha256 == digest
        else { return nil }
        return record.bounded
    }

    /// - Throws: `refused` for a record that could not be read again.
    func write(_ record: StoredImage) throws {
        let content = try JSONCoding.encode(record)
        guard content.count <= Self.largestRecord else {
            throw DevhostError(.refused, "cannot note \(content.count) bytes of the image \(record.sha256)")
        }
        try Files.writeAtomically(recordPath(record.sha256), content, mode: 0o600)
    }

    /// The largest record of an image, in bytes.
    private static let largestRecord = 1 << 20

    func removeRecord(_ digest: SHA256Digest) throws { try Files.remove(recordPath(digest)) }

    /// The digests of which there is a record, readable or not.
    func recordedDigests() throws -> [SHA256Digest] {
        try Files.names(in: folders.records).compactMap { name in
            name.hasSuffix(".json") ? try? SHA256Digest(hex: String(name.dropLast(5))) : nil
        }
    }

    /// Notes that an image is used, and by which release, if that is news.
    private func noteUse(of digest: SHA256Digest, source: ImageSource, _ progress: ProgressHandler) async throws {
        guard let record = record(digest) else { return }
        let isRecent = now.date.timeIntervalSince(record.lastUse.date) < Self.useGranularity
        let isKnown = source.releaseName.map { record.releaseNames.contains($0) || !ReleaseMetadata.isName($0) } ?? true
        if isRecent && isKnown { return }
        try await locked("records", .exclusive, doing: "a note", progress) {
            guard var record = self.record(digest) else { return }
            record.note(nil, releaseName: source.releaseName, at: now)
            try write(record)
        }
    }
}
