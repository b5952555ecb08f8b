import DevhostBase
import Foundation
import Testing

/// What scripts/install-system leaves on a machine, whatever umask the caller has.
@Suite struct InstallTests {
    @Test(arguments: ["000", "077"]) func whatIsInstalledIsRootsToWriteAndEverybodysToRead(mask: String) async throws {
        let folder = try TestFolder("install")
        let script = Files.directory(of: #filePath) + "/../../../scripts/install-system"
        let target = "\(folder.path)/target"
        try await Processes.require(
            Command("bash", ["-c", "umask \(mask); DESTDIR='\(target)' PREFIX=/usr/local exec '\(script)'"]))
        let found = try await Processes.require(Command("find", [target, "-printf", "%m %P\\n"])).text
        let lines = found.split(separator: "\n")
        #expect(lines.count > 15)
        for line in lines where !line.hasSuffix("sudoers.d/fc-devhost") {
            let mode = try #require(UInt32(line.prefix { $0 != " " }, radix: 8))
            #expect(mode & 0o022 == 0 && mode & 0o444 == 0o444, "\(line)")
        }
        #expect(lines.contains("440 etc/sudoers.d/fc-devhost"))
    }
}
