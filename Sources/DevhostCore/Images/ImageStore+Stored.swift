import Glibc

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
            try await requireGood(image)
            return try await body(image)
        }
    }

    /// Why an image of the store would not be taken today; nil where it would, and where it lies on another machine or
    /// cannot be read. Its virtual size was somebody's decision, which holds.
    func refusal(of image: BaseImage) -> DevhostError? {
        guard volumes.localFolder != nil, let file = try? FileDescriptor.open(image.path, O_RDONLY | O_NOFOLLOW) else {
            return nil
        }
        do {
            _ = try ImageJudge(maximumVirtualSize: .max).judge(file, name: "\(image.sha256) of the store")
            return nil
        } catch {
            return error as? DevhostError
        }
    }

    /// Makes sure that no new disk is made over an image that an older version took and that would not be taken today:
    /// each look at it may take the machine's memory. Disks that are there stay as they are.
    func requireGood(_ image: BaseImage) async throws {
        guard let refusal = try await Blocking.run({ self.refusal(of: image) }) else { return }
        throw DevhostError(
            refusal.code, refusal.message,
            next:
                "use another image; 'fc-devhost doctor' says which VMs have it, and 'fc-devhost images prune' removes it "
                + "when none has")
    }
}
