import Glibc

extension ImageStore {
    /// What came from a source, in the folder of downloads.
    private struct Fetched {
        var sha256: SHA256Digest
        var size: UInt64
        var validators: HTTPValidators
        /// The paths that led to it.
        var paths: [String]
    }

    // MARK: By digest

    /// Fetches an image whose digest is known, unless somebody has done it meanwhile.
    func fetchPinned(_ source: ImageSource, _ digest: SHA256Digest, progress: @escaping ProgressHandler) async throws {
        try await locked(digest.description, .exclusive, doing: "the download of \(source.url.redacted)", progress) {
            if try await completeImage(digest) != nil { return }
            let work = WorkFiles(folder: folders.work, key: digest.description)
            defer { work.remove() }
            guard
                let fetched = try await fetch(
                    source.url, into: work, isPinned: true, known: HTTPValidators(), progress: progress)
            else { return }
            guard fetched.sha256 == digest else {
                throw DevhostError(
                    .refused,
                    "the image \(source.url.redacted) has the SHA-256 digest \(fetched.sha256) where \(digest) is expected",
                    next: "nothing of it is used; look for who changed the file or the release")
            }
            try await take(fetched, from: work, source: source, progress: progress)
        }
    }

    // MARK: By URL

    /// The digest of what a URL gives now, which is in the store when this returns.
    func currentDigest(of source: ImageSource, progress: @escaping ProgressHandler) async throws -> SHA256Digest {
        let key = try SHA256Hasher.digest(Array(source.url.description.utf8))
        let lock = "url-\(key)"
        return try await locked(lock, .exclusive, doing: "the download of \(source.url.redacted)", progress) {
            let known = try await newest(from: key)
            let work = WorkFiles(folder: folders.work, key: lock)
            defer { work.remove() }
            let fetched: Fetched?
            do {
                fetched = try await fetch(
                    source.url, into: work, isPinned: false, known: known?.source.validators ?? HTTPValidators(),
                    progress: progress)
            } catch let error as DevhostError where error.code == .unavailable || error.code == .timedOut {
                guard let known else { throw error }
                progress(.warning("\(error.message); the image that it gave on \(known.source.checked) is used"))
                return known.digest
            }
            guard let fetched else {
                guard let known else { throw DevhostError(.unavailable, "\(source.url.redacted) gave nothing") }
                return known.digest
            }
            try await locked(fetched.sha256.description, .exclusive, doing: "the storing of an image", progress) {
                try await take(fetched, from: work, source: source, progress: progress)
            }
            return fetched.sha256
        }
    }

    /// The complete image that a URL gave last.
    private func newest(from key: SHA256Digest) async throws -> (digest: SHA256Digest, source: StoredImage.Source)? {
        var found: (digest: SHA256Digest, source: StoredImage.Source)?
        for digest in try recordedDigests() {
            guard let source = record(digest)?.sources.first(where: { $0.key == key }) else { continue }
            if let found, found.source.checked >= source.checked { continue }
            if try await completeImage(digest) != nil { found = (digest, source) }
        }
        return found
    }

    // MARK: Bytes

    /// No download is larger than what may lie in the store.
    private var largestDownload: UInt64 { min(limits.download, fetcher?.bound ?? .max) }

    /// Brings the bytes of a URL into the folder of downloads.
    /// - Returns: nil where they are the ones that `known` describes.
    private func fetch(
        _ url: ResourceURL, into work: WorkFiles, isPinned: Bool, known: HTTPValidators,
        progress: @escaping ProgressHandler
    ) async throws -> Fetched? {
        progress(.step("fetching \(url.redacted)"))
        let file = try work.create(work.download)
        let admit: @Sendable (UInt64?) throws -> Void = { [limits, folders, volumes, fetcher] size in
            if let fetcher, let bound = fetcher.bound, let size, size > bound {
                throw fetcher.refusal(of: url.redacted, size, beside: 0)
            }
            // The file stands in the folder of downloads and then, for a moment, in the store too.
            var needs = [(folder: folders.work, bytes: size ?? 0)]
            if let folder = volumes.localFolder { needs.append((folder, size ?? 0)) }
            try FreeSpace.require(needs, reserve: limits.reserve, for: "the image \(url.redacted)")
        }
        if url.scheme == .file {
            let source = try ConfinedFiles(folders: folders.files).open(url.path)
            let copy = FileCopy(
                source: source, name: url.redacted, target: file, path: work.download, progress: progress)
            let validators = try copy.validators()
            if !known.isEmpty, validators == known { return nil }
            let maximum = largestDownload
            let (sha256, size) = try await Blocking.run { try copy.run(maximum: maximum, admit: admit) }
            return Fetched(sha256: sha256, size: size, validators: validators, paths: [url.path])
        }
        var request = HTTPTransfer.Request(url: url, file: file, path: work.download, maximum: largestDownload)
        request.isPinned = isPinned
        request.known = known
        request.admit = admit
        return try await transfer.download(request, progress: progress).map {
            Fetched(sha256: $0.sha256, size: $0.size, validators: $0.validators, paths: $0.paths)
        }
    }

    // MARK: Into the store

    /// Whether the qcow2 file of an image lies there whole, although nothing is known of it any more. VMs may stand on it:
    /// it must not be written again.
    private func holds(_ digest: SHA256Digest, content: SHA256Digest) async throws -> Bool {
        guard volumes.localFolder != nil, let volume = try await volumes.volume(volumeName(digest)),
            Files.exists(volume.path)
        else { return false }
        let file = try FileDescriptor.open(volume.path, O_RDONLY | O_NOFOLLOW)
        return try await Blocking.run { try file.digest(path: volume.path) } == content
    }

    /// Unpacks, converts and judges a download and takes it into the store. The image's lock must be held.
    private func take(
        _ fetched: Fetched, from work: WorkFiles, source: ImageSource, progress: @escaping ProgressHandler
    ) async throws {
        let digest = fetched.sha256
        let noted = StoredImage.Source(
            url: source.url.redacted, key: try SHA256Hasher.digest(Array(source.url.description.utf8)),
            validators: fetched.validators, checked: now)
        if try await completeImage(digest) != nil, var record = record(digest) {
            record.note(noted, releaseName: source.releaseName, at: now)
            return try write(record)
        }
        let name = source.url.redacted
        let path = try await makeQCOW2(work, claim: ImageSource.claim(fetched.paths), name: name, progress: progress)
        let file = try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW)
        let judge = judge
        let header = try await Blocking.run { try judge.judge(file, name: name) }
        let isAsFetched = path == work.download
        let stored = isAsFetched ? digest : try await Blocking.run { try file.digest(path: path) }
        let size = try file.size(path: path)
        if let folder = volumes.localFolder {
            try FreeSpace.require([(folder, size)], reserve: limits.reserve, for: "the image \(name)")
        }
        progress(.step("storing \(name)"))
        try await withRoom(for: size, name, progress) {
            if try await !holds(digest, content: stored) {
                try removeRecord(digest)
                _ = try await volumes.add(
                    volumeName(digest), from: path, virtualSize: header.virtualSize, progress: progress)
            }
            var record = StoredImage(
                sha256: digest, downloadSize: fetched.size, storedSHA256: stored, storedSize: size,
                virtualSize: header.virtualSize, sources: [], releaseNames: [], firstUse: now, lastUse: now,
                fetchedBy: fetcher?.user)
            record.note(noted, releaseName: source.releaseName, at: now)
            try write(record)
        }
    }

    /// Makes a qcow2 file of a download; what is one already stays as it is.
    /// - Returns: Where it lies.
    private func makeQCOW2(
        _ work: WorkFiles, claim: ImageSource.Claim, name: String, progress: @escaping ProgressHandler
    ) async throws -> String {
        let conversion = ImageConversion(limits: limits)
        var path = work.download
        var file = try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW)
        var format = ImageFormat.detect(try file.read(at: 0, count: ImageFormat.window, path: path))
        if let packed = format, packed.unpacker != nil {
            progress(.step("unpacking \(name)"))
            let target = try work.create(work.unpacked)
            try await conversion.unpack(
                file, packed, to: target, path: work.unpacked, name: name, progress: progress)
            Self.giveBack(work.download)
            path = work.unpacked
            file = target
            format = ImageFormat.detect(try file.read(at: 0, count: ImageFormat.window, path: path))
        }
        switch (format, claim) {
        case (.qcow2?, .raw):
            // Whoever wrote a disk decides what it begins with: such a file must be taken neither for the one nor for
            // the other.
            throw ImageJudge.refusal(name, "it is called a raw disk and begins with a qcow2 header")
        case (.qcow2?, _):
            return path
        case (nil, .raw), (nil, .image):
            progress(.step("converting \(name) from raw to qcow2"))
            _ = try work.create(work.converted)
            try await conversion.convert(raw: path, to: work.converted, name: name)
            return work.converted
        case (let other?, _):
            throw ImageJudge.refusal(name, "it is \(other.name), which is not taken")
        case (nil, .none):
            throw DevhostError(
                .refused, "the image \(name) is refused: it does not begin with a qcow2 header",
                next: "make it with 'qemu-img convert -O qcow2', or let the name of a raw disk end in .raw or .img")
        }
    }

    /// Gives the room of a file back before it is removed, where nobody needs its bytes any more.
    private static func giveBack(_ path: String) { truncate(path, 0) }
}
