/// What a file is by its first bytes. It decides how a download is unpacked and names what is refused; no image is ever
/// opened as what this says without having been judged.
package enum ImageFormat: String, Sendable, CaseIterable {
    case qcow2, xz, zstd, gzip
    case vmdk = "VMDK"
    case vdi = "VDI"
    case vhdx = "VHDX"
    case vhd = "VHD"
    case qed = "QED"
    case parallels = "Parallels"
    case bochs = "Bochs"
    case cloop
    case luks = "LUKS"
    case bzip2
    case lz4
    case zip = "ZIP"
    case tar
    case page = "HTML"

    /// How many bytes ``detect(_:)`` looks at.
    package static let window = 512

    /// The magic numbers: where, and which bytes.
    private static let magics: [(format: ImageFormat, offset: Int, bytes: [UInt8])] = [
        (.qcow2, 0, QCOW2Header.magic),
        (.xz, 0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
        (.zstd, 0, [0x28, 0xb5, 0x2f, 0xfd]),
        (.gzip, 0, [0x1f, 0x8b]),
        (.vmdk, 0, Array("KDMV".utf8)), (.vmdk, 0, Array("COWD".utf8)), (.vmdk, 0, Array("# Disk Descriptor".utf8)),
        (.vdi, 64, [0x7f, 0x10, 0xda, 0xbe]), (.vdi, 0, Array("<<< ".utf8)),
        (.vhdx, 0, Array("vhdxfile".utf8)),
        (.vhd, 0, Array("conectix".utf8)),
        (.qed, 0, [0x51, 0x45, 0x44, 0x00]),
        (.parallels, 0, Array("WithoutFreeSpace".utf8)), (.parallels, 0, Array("WithouFreSpacExt".utf8)),
        (.bochs, 0, Array("Bochs Virtual HD Image".utf8)),
        (.cloop, 0, Array("#!/bin/sh\n#V2.0 Format".utf8)),
        (.luks, 0, [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe]),
        (.bzip2, 0, Array("BZh".utf8)),
        (.lz4, 0, [0x04, 0x22, 0x4d, 0x18]),
        (.zip, 0, [0x50, 0x4b, 0x03, 0x04]),
        (.tar, 257, Array("ustar".utf8)),
    ]

    /// The format whose magic number the bytes bear; nil for anything else, raw disks among it, which bear none.
    package static func detect(_ bytes: [UInt8]) -> ImageFormat? {
        for magic in magics where bytes.dropFirst(magic.offset).starts(with: magic.bytes) { return magic.format }
        let text = String(decoding: bytes.prefix(64), as: UTF8.self).trimmed.lowercased()
        return text.hasPrefix("<!doctype") || text.hasPrefix("<html") ? .page : nil
    }

    /// The program that unpacks it to its standard output; nil for what is not unpacked.
    package var unpacker: String? {
        switch self {
        case .xz, .zstd, .gzip: rawValue
        default: nil
        }
    }

    /// The format in words.
    package var name: String { self == .page ? "a web page" : "\(rawValue) data" }
}
