/// The beginning of a file in which libvirt saved the memory of a domain: a header, the domain's XML, a cookie of
/// libvirt's, and then the hypervisor's own data. With another XML in it the same memory becomes another domain, as far
/// as both describe the same machine.
///
/// QEMU's header is that of libvirt's qemu_saveimage.h, version 2: 16 bytes of magic, then version, length of all that
/// follows up to the hypervisor's data, whether the domain ran, compression, and where the cookie begins, each of 4
/// bytes in the order of the machine; 92 bytes in all.
struct SavedMemory: Sendable {
    /// Who wrote the file.
    private enum Format {
        case qemu
        /// libvirt's mock: magic, length and XML, and no memory.
        case test
    }

    private static let magic = Array("LibvirtQemudSave".utf8)
    private static let testMagic = Array("TestGuestMagic".utf8) + [0]
    private static let headerSize = 92
    private static let version: UInt32 = 2
    /// The largest XML with its cookie and the room after them that is taken for one.
    private static let largestData = 16 << 20

    private let format: Format
    private let header: [UInt8]
    private let cookie: [UInt8]
    /// Where the hypervisor's data begin, in bytes from the start of the file.
    let dataStart: UInt64

    /// Reads the beginning of a file.
    /// - Throws: `damaged` for a file that is none, or of which libvirt did not finish the writing.
    init(_ file: FileDescriptor, path: String) throws {
        let start = try file.read(at: 0, count: Self.headerSize, path: path)
        func damaged(_ why: String) -> DevhostError {
            DevhostError(.damaged, "the saved memory \(path) cannot be used: \(why)")
        }
        if start.starts(with: Self.testMagic) {
            format = .test
            header = Self.testMagic
            cookie = []
            dataStart = try file.size(path: path)
            return
        }
        guard start.count == Self.headerSize, start.starts(with: Self.magic) else {
            throw damaged("it does not begin as one that is complete")
        }
        guard Self.field(start, 0) == Self.version else { throw damaged("its version is \(Self.field(start, 0))") }
        let length = Int(Self.field(start, 1))
        let cookieStart = Int(Self.field(start, 4))
        guard (1...Self.largestData).contains(length), cookieStart < length else {
            throw damaged("its header says \(length) bytes of XML")
        }
        let data = try file.read(at: UInt64(Self.headerSize), count: length, path: path)
        guard data.count == length else { throw damaged("it ends within its XML") }
        format = .qemu
        header = start
        cookie = cookieStart == 0 ? [] : Array(data[cookieStart...].prefix { $0 != 0 })
        dataStart = UInt64(Self.headerSize + length)
    }

    /// The beginning of a file with the same memory for another domain.
    func beginning(xml: String) -> [UInt8] {
        let text = Array(xml.utf8)
        if format == .test { return header + Self.bytes(UInt32(text.count)) + text }
        let data = text + [0] + (cookie.isEmpty ? [] : cookie + [0])
        var header = header
        Self.setField(&header, 1, UInt32(data.count))
        Self.setField(&header, 4, cookie.isEmpty ? 0 : UInt32(text.count + 1))
        return header + data
    }

    /// One of the numbers that follow the magic.
    private static func field(_ header: [UInt8], _ index: Int) -> UInt32 {
        header.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: magic.count + index * 4, as: UInt32.self) }
    }

    private static func setField(_ header: inout [UInt8], _ index: Int, _ value: UInt32) {
        let start = magic.count + index * 4
        header.replaceSubrange(start..<start + 4, with: bytes(value))
    }

    private static func bytes(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}
