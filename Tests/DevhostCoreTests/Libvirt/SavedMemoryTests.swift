import Glibc
import Testing

@testable import DevhostBase
@testable import DevhostCore

/// The beginning of a file with saved memory, as libvirt writes it.
@Suite struct SavedMemoryTests {
    private let folder: TemporaryDirectory
    private var path: String { "\(folder.path)/memory" }

    init() throws { folder = try TemporaryDirectory(prefix: "devhost-saved") }

    private static func number(_ value: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(value)) { Array($0) } }

    /// A file like libvirt's: room follows XML and cookie.
    private static func content(
        magic: String = "LibvirtQemudSave", version: Int = 2, xml: String = "<domain/>", cookie: String = "<cookie/>",
        room: Int = 100, length: Int? = nil
    ) -> [UInt8] {
        let data = Array(xml.utf8) + [0] + Array(cookie.utf8) + [0] + [UInt8](repeating: 0, count: room)
        var header = Array(magic.utf8) + number(version) + number(length ?? data.count) + number(1) + number(0)
        header += number(cookie.isEmpty ? 0 : xml.utf8.count + 1)
        return header + [UInt8](repeating: 9, count: 92 - header.count) + data + Array("memory".utf8)
    }

    private func read(_ content: [UInt8]) throws -> SavedMemory {
        try Files.write(path, content, mode: 0o600)
        return try SavedMemory(FileDescriptor.open(path, O_RDONLY), path: path)
    }

    @Test func anotherXMLTakesThePlaceOfTheFirst() throws {
        let content = Self.content()
        let saved = try read(content)
        #expect(content[Int(saved.dataStart)...].elementsEqual("memory".utf8))
        let xml = "<domain type='qemu'><name>demo</name></domain>"
        let beginning = saved.beginning(xml: xml)
        let again = try read(beginning + Array("memory".utf8))
        #expect(again.dataStart == UInt64(beginning.count))
        #expect(again.beginning(xml: xml) == beginning)
        #expect(beginning == Array(Self.content(xml: xml, room: 0).dropLast(6)))
    }

    @Test func aFileWithoutACookieStaysWithoutOne() throws {
        let beginning = try read(Self.content(cookie: "")).beginning(xml: "<domain/>")
        #expect(beginning[32..<36].elementsEqual([0, 0, 0, 0]))
        #expect(beginning.count == 92 + 10)
    }

    @Test func whatIsNoCompleteSavedMemoryIsRefused() throws {
        let wrong = [
            [], Array(Self.content().prefix(91)), Self.content(magic: "LibvirtQemudPart"), Self.content(version: 3),
            Self.content(length: 1 << 30), Self.content(length: 5), Self.content(length: 0),
            Array(Self.content().prefix(110)), [UInt8](repeating: 0, count: 4096),
        ]
        for content in wrong {
            #expect { try read(content) } throws: { ($0 as? DevhostError)?.code == .damaged }
        }
    }
}
