/// The header of a qcow2 image, read field by field (QEMU's docs/interop/qcow2.txt). Nothing here says that the image is
/// safe; ``ImageJudge`` does.
package struct QCOW2Header: Sendable, Hashable {
    /// `QFI` and 0xfb.
    package static let magic: [UInt8] = [0x51, 0x46, 0x49, 0xfb]
    /// The bytes of a version 2 header, which every image has.
    static let minimumSize = 72

    package let version: UInt32
    package let backingFileOffset: UInt64
    package let backingFileSize: UInt32
    package let clusterBits: UInt32
    /// The size that a guest sees, in bytes.
    package let virtualSize: UInt64
    package let encryption: UInt32
    package let l1Entries: UInt32
    package let l1Offset: UInt64
    package let refcountTableOffset: UInt64
    package let refcountTableClusters: UInt32
    package let snapshotCount: UInt32
    package let snapshotOffset: UInt64
    package var incompatibleFeatures: UInt64 = 0
    package var autoclearFeatures: UInt64 = 0
    package var refcountOrder: UInt32 = 4
    package var headerLength: UInt32 = 72
    package var compressionType: UInt8 = 0

    /// Reads the fields that the bytes hold; nil where they are no qcow2 header or a header cut short.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.minimumSize, bytes.starts(with: Self.magic) else { return nil }
        func number32(_ offset: Int) -> UInt32 { bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) } }
        func number64(_ offset: Int) -> UInt64 { bytes[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        version = number32(4)
        backingFileOffset = number64(8)
        backingFileSize = number32(16)
        clusterBits = number32(20)
        virtualSize = number64(24)
        encryption = number32(32)
        l1Entries = number32(36)
        l1Offset = number64(40)
        refcountTableOffset = number64(48)
        refcountTableClusters = number32(56)
        snapshotCount = number32(60)
        snapshotOffset = number64(64)
        guard version >= 3 else { return }
        guard bytes.count >= 104 else { return nil }
        incompatibleFeatures = number64(72)
        autoclearFeatures = number64(88)
        refcountOrder = number32(96)
        headerLength = number32(100)
        if headerLength > 104, bytes.count > 104 { compressionType = bytes[104] }
    }
}
