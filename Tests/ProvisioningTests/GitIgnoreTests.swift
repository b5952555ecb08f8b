import Foundation
import Testing

@testable import DevhostBase

@Suite("Keeping files out of git")
struct GitIgnoreTests {
    @Test("What a checkout's own list holds stays, byte by byte, also where it cannot be read")
    func bytes() async throws {
        let folder = try TemporaryDirectory(prefix: "checkout")
        let environment = ProcessInfo.processInfo.environment
        try await Processes.require(Command("git", ["init", "-q", folder.path]))
        let path = "\(folder.path)/.git/info/exclude"
        func ensure(_ name: String) async throws {
            try await GitIgnore.ensure(["\(folder.path)/\(name)"], in: folder.path, environment: environment)
        }
        let own = Array("B".utf8) + [0xfc] + Array("ro".utf8)
        try Files.write(path, own, mode: 0o644)
        try await ensure("ssh_config_dev")
        #expect(try Files.read(path) == own + Array("\n/ssh_config_dev\n".utf8))
        let large = [UInt8](repeating: 0x23, count: (1 << 20) + 1)
        try Files.write(path, large, mode: 0o644)
        await #expect(throws: DevhostError.self) { try await ensure("other") }
        #expect(try Files.read(path) == large)
    }
}
