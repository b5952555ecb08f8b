/// Where the qcow2 files of the store lie: a storage pool of libvirt, or a folder.
public protocol BaseImageVolumes: Sendable {
    /// The folder on this machine that the files occupy; nil where they lie on another one.
    var localFolder: String? { get }
    /// All volumes.
    func all() async throws -> [BaseImageVolume]
    /// The volume of this name; nil where there is none.
    func volume(_ name: String) async throws -> BaseImageVolume?
    /// Takes a qcow2 file in under a name, read-only, in place of what bears the name. The file has been judged; it may
    /// be moved, and is of no more use to the caller afterwards.
    func add(_ name: String, from path: String, virtualSize: UInt64, progress: @escaping ProgressHandler) async throws
        -> BaseImageVolume
    /// Removes a volume; one that is missing is as good.
    func remove(_ name: String) async throws
}

/// A qcow2 file of the store.
public struct BaseImageVolume: Sendable, Hashable {
    /// Its name, `<sha256>.qcow2`.
    public let name: String
    /// Where it lies on the host that libvirt runs on.
    public let path: String
    /// What it occupies on the disk, in bytes.
    public let allocation: UInt64

    /// A volume.
    public init(name: String, path: String, allocation: UInt64) {
        self.name = name
        self.path = path
        self.allocation = allocation
    }
}
