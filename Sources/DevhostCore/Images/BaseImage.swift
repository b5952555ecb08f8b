/// A verified, read-only image in the store, below any number of overlays.
public struct BaseImage: Sendable, Hashable {
    /// The digest that names it in the store.
    public let sha256: SHA256Digest
    /// Where the qcow2 file lies on the host that libvirt runs on.
    public let path: String
    /// The size that a guest sees, in bytes.
    public let virtualSize: UInt64

    /// An image that is known.
    public init(sha256: SHA256Digest, path: String, virtualSize: UInt64) {
        self.sha256 = sha256
        self.path = path
        self.virtualSize = virtualSize
    }
}
