/// What an image may be and how long work on it may take.
public struct ImageLimits: Sendable, Hashable {
    /// The largest virtual size, in bytes.
    public var virtualSize: UInt64 = 2 << 40
    /// The largest download, in bytes.
    public var download: UInt64 = 256 << 30
    /// The most bytes that a compressed image may unpack to.
    public var unpacked: UInt64 = 256 << 30
    /// How long unpacking or converting may take.
    public var conversion = Duration.seconds(2 * 3600)
    /// How long to wait for somebody else's download of the same image.
    public var lock = Duration.seconds(4 * 3600)
    /// What stays free on a disk, in bytes.
    public var reserve: UInt64 = FreeSpace.reserve
    /// The time limits of downloads.
    public var http = HTTPLimits()

    /// The defaults.
    public init() {}
}
