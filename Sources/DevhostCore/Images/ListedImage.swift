/// An image of the store as `images` shows it.
public struct ListedImage: Sendable, Hashable, Codable {
    /// The digest that names it.
    public let sha256: SHA256Digest
    /// What it occupies on the disk, in bytes.
    public let size: UInt64
    /// The size that a guest sees, in bytes; nil where the image is not complete.
    public let virtualSize: UInt64?
    /// Where it came from, without user names, passwords and queries.
    public let sources: [String]
    /// The releases that named it.
    public let releaseNames: [String]
    /// The VMs whose disks lie over it.
    public let users: [VMName]
    /// When it came into the store.
    public let firstUse: Timestamp?
    /// When a disk was last made over it.
    public let lastUse: Timestamp?
    /// The user for whom it came into the store; nil where that is not known.
    public let fetchedBy: String?
    /// Whether it can be used; false for what a crash left behind.
    public let isComplete: Bool

    enum CodingKeys: String, CodingKey {
        case sha256, size
        case virtualSize = "virtual_size"
        case sources
        case releaseNames = "release_names"
        case users
        case firstUse = "first_use"
        case lastUse = "last_use"
        case fetchedBy = "fetched_by"
        case isComplete = "complete"
    }
}
