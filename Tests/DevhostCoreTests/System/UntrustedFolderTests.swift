import Glibc
import Testing

@testable import DevhostBase

/// A folder in which somebody else puts what he likes.
@Suite struct UntrustedFolderTests {
    private let root: TestFolder
    private let path: String

    init() throws {
        root = try TestFolder("untrusted")
        path = "\(root.path)/theirs"
        try Files.createDirectory("\(path)/inner", mode: 0o755)
        try Files.write("\(root.path)/precious", Array("secret".utf8), mode: 0o600)
        try Files.write("\(path)/file", Array("0123456789".utf8), mode: 0o644)
    }

    @Test func onlyRegularFilesAreReadAndNoMoreOfThemThanAllowed() async throws {
        let folder = try #require(try UntrustedFolder(path))
        #expect(try folder.read("file", limit: 4) == Array("0123".utf8))
        #expect(try folder.read("file", limit: 4, fromEnd: true) == Array("6789".utf8))
        #expect(try folder.read("missing", limit: 4) == nil)
        #expect(folder.lastWritten("file") != nil && folder.lastWritten("inner") == nil)
        mkfifo("\(path)/pipe", 0o666)
        symlink("\(root.path)/precious", "\(path)/link")
        symlink("/dev/zero", "\(path)/device")
        let socket = try UnixSocket.listen("\(path)/socket")
        for name in ["pipe", "link", "device", "inner", "socket"] {
            await expectError(.refused, containing: "not a regular file") { try folder.read(name, limit: 4) }
            #expect(folder.lastWritten(name) == nil)
        }
        withExtendedLifetime(socket) {}
        for name in ["..", ".", "", "../precious", "inner/../../precious"] {
            #expect(try folder.read(name, limit: 4) == nil && folder.folder(name) == nil, "\(name)")
        }
        #expect(try folder.folder("inner") != nil && folder.folder("file") == nil && folder.folder("link") == nil)
        symlink(root.path, "\(root.path)/elsewhere")
        #expect(try UntrustedFolder("\(root.path)/elsewhere") == nil)
        #expect(try UntrustedFolder("\(root.path)/missing") == nil)
    }

    @Test func namesAreBoundedAndPrintable() throws {
        for number in 0..<10 { try Files.write("\(path)/inner/\(number)", [], mode: 0o644) }
        try Files.write("\(path)/inner/\u{1b}]0;x", [], mode: 0o644)
        let folder = try #require(try UntrustedFolder(path)?.folder("inner"))
        let all = try folder.names()
        #expect(all.names == (0..<10).map(String.init) && all.isComplete)
        let some = try folder.names(limit: 4)
        #expect(some.names.count <= 4 && !some.isComplete)
    }

    @Test func whatIsRemovedIsTheLinkAndNotWhereItLeads() throws {
        try Files.createDirectory("\(root.path)/own", mode: 0o755)
        try Files.write("\(root.path)/own/kept", [], mode: 0o644)
        let folder = try #require(try UntrustedFolder(path))
        symlink("\(root.path)/own", "\(path)/link")
        symlink("\(root.path)/precious", "\(path)/inner/link")
        try Files.write("\(path)/inner/key", [], mode: 0o600)
        for name in ["link", "inner", "file", "missing", "..", "../own"] { try folder.remove(name) }
        #expect(try folder.names().names.isEmpty)
        #expect(Files.exists("\(root.path)/own/kept") && Files.exists("\(root.path)/precious"))
    }

    @Test func aListenerWithAFullQueueIsNotWaitedFor() throws {
        let socket = "\(path)/socket"
        #expect(try !UnixSocket.isListening(socket))
        let listener = try UnixSocket.listen(socket)
        listen(listener.number, 0)
        // Nobody accepts.
        for _ in 0..<5 { #expect(try UnixSocket.isListening(socket)) }
        symlink(socket, "\(path)/link")
        #expect(try !UnixSocket.isListening("\(path)/link"))
    }
}
