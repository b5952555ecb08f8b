import Testing

@testable import DevhostCore

/// What is not ours in the devhost's hosts file.
@Suite struct HostsFileTests {
    private let folder: TestFolder
    private let file: HostsFile

    init() throws {
        folder = try TestFolder("hosts")
        file = HostsFile(path: "\(folder.path)/hosts")
    }

    private func write(_ content: [UInt8]) throws { try Files.write(file.path, content, mode: 0o644) }

    @Test func bytesOutsideTheBlockStay() throws {
        // Latin-1 in a comment, a line end of Windows, and a mark that ends nothing.
        let before = Array("192.0.2.1 printer # B".utf8) + [0xfc] + Array("ro\r\n\(HostsFile.blockEnd)\n".utf8)
        try write(before)
        #expect(try file.isTaken(VMName("printer")))
        try file.publish(VMName("demo"), addresses: ["10.12.0.2"])
        let block = "\n\(HostsFile.blockStart)\n10.12.0.2 demo\n\(HostsFile.blockEnd)\n"
        #expect(try Files.read(file.path) == before + Array(block.utf8))
        let after = Array("192.0.2.2 caf".utf8) + [0xe9, 0x0a]
        try write(before + Array(block.utf8) + after)
        try file.withdraw(VMName("demo"))
        #expect(try Files.read(file.path) == before + [0x0a] + after)
    }

    @Test(arguments: ["", "\(HostsFile.blockStart)\n10.12.0.2 demo\n\(HostsFile.blockEnd)\n"])
    func aBlockWithoutAnEndIsAnErrorAndNothingIsLost(_ next: String) throws {
        let text = "127.0.0.1 localhost\n\(HostsFile.blockStart)\n10.12.0.3 old\n192.0.2.1 printer\n\(next)"
        try write(Array(text.utf8))
        let error = #expect(throws: DevhostError.self) { try file.publish(VMName("new"), addresses: ["10.12.0.4"]) }
        #expect(error?.code == .damaged)
        #expect(error?.description.contains(file.path) == true)
        #expect(error?.nextStep?.contains(HostsFile.blockEnd) == true)
        #expect(try Files.readText(file.path) == text)
    }
}
