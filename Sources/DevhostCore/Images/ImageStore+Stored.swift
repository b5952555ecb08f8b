extension ImageStore {
    /// The digest of the one complete image that begins so.
    /// - Throws: `notFound` where there is none, `invalidArgument` where there are several.
    func digest(beginning text: String) async throws -> SHA256Digest {
        let found = try recordedDigests().filter { $0.description.hasPrefix(text) }
        guard let digest = found.first else {
            throw DevhostError(
                .notFound, "there is no image \(text) in the store", next: "see 'fc-devhost images', or give its URL")
        }
        guard found.count == 1 else {
            throw DevhostError(.invalidArgument, "\(found.count) images begin with \(text)", next: "give more digits")
        }
        return digest
    }

    /// Keeps an image that is in the store there while a body uses it.
    /// - Throws: `notFound`, and what the body throws.
    func withStoredImage<Result: Sendable>(
        _ digest: SHA256Digest, progress: @escaping ProgressHandler,
        _ body: @Sendable (BaseImage) async throws -> Result
    ) async throws -> Result {
        try prepareFolders()
        return try await locked(digest.description, .shared, doing: "", progress) {
            guard let image = try await completeImage(digest) else {
                throw DevhostError(
                    .notFound, "the image \(digest) is not in the store",
                    next: "bring up a VM from it, or give its URL")
            }
            return try await body(image)
        }
    }
}
