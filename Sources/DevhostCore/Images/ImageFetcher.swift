/// For whom images come into the store, and how many of them may lie there while no VM uses them: whoever names an image by
/// its URL fills the disk that everybody's VMs lie on.
package struct ImageFetcher: Sendable {
    /// The user's name, which each image bears that this user fetched.
    package let user: String
    /// How many bytes the images of this user may have that no VM uses; nil for no bound.
    package let bound: UInt64?
    /// The images below the disks that exist.
    package let inUse: @Sendable () async throws -> Set<SHA256Digest>
    /// Told of the images that were removed to make room for another one.
    package let haveGone: @Sendable (Set<SHA256Digest>) async throws -> Void

    /// How many images there may be of this user that no VM uses: small ones fill no disk, and each makes every look at the
    /// store longer.
    package var mostUnused = 200

    /// How many images one user fetches at a time; the next ones wait.
    static let mostDownloads = 4

    package init(
        user: String, bound: UInt64?, inUse: @escaping @Sendable () async throws -> Set<SHA256Digest>,
        haveGone: @escaping @Sendable (Set<SHA256Digest>) async throws -> Void = { _ in }
    ) {
        self.user = user
        self.bound = bound
        self.inUse = inUse
        self.haveGone = haveGone
    }

    /// The refusal of an image for which there is no room.
    func refusal(of name: String, _ size: UInt64, beside occupied: UInt64) -> DevhostError {
        let others = occupied > 0 ? ", and images that VMs are being made of have \(ByteText.size(occupied))" : ""
        return DevhostError(
            .refused,
            "the image \(name) has \(ByteText.size(size))\(others), where [images] user-unused allows \(user.printable) "
                + "\(ByteText.size(bound ?? 0)) of images that no VM uses yet",
            next: "use a smaller image, or let an administrator allow more in devhost.cfg")
    }
}
