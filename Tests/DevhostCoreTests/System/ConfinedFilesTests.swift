import Foundation
import Testing

@testable import DevhostCore

@Suite struct ConfinedFilesTests {
    @Test(arguments: ["file", "\u{301}file"]) func aLinkOnTheWayLeadsNowhereElse(_ name: String) throws {
        let folder = try TestFolder("confined")
        let (allowed, outside) = ("\(folder.path)/allowed", "\(folder.path)/outside")
        for path in [allowed, outside] {
            try Files.createDirectory("\(path)/in", mode: 0o700)
            #expect(FileManager.default.createFile(atPath: "\(path)/in/\(name)", contents: Data("x".utf8)))
        }
        try FileManager.default.createSymbolicLink(atPath: "\(allowed)/out", withDestinationPath: "\(outside)/in")
        try FileManager.default.createSymbolicLink(atPath: "\(allowed)/within", withDestinationPath: "in")
        let files = ConfinedFiles(folders: [allowed])
        #expect(throws: Never.self) { try files.open("\(allowed)/in/\(name)") }
        #expect(throws: Never.self) { try files.open("\(allowed)/within/\(name)") }
        let error = #expect(throws: DevhostError.self) { try files.open("\(allowed)/out/\(name)") }
        #expect(error?.code == .permissionDenied)
    }
}
