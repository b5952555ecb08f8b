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

    /// What a link leads to may be root's alone, and whether it is there, and what it is, too.
    @Test func linksThatLeadOutAreRefusedAlikeWhateverIsThere() throws {
        let folder = try TestFolder("confined")
        let allowed = "\(folder.path)/allowed"
        try Files.createDirectory(allowed, mode: 0o700)
        try Files.createDirectory("\(folder.path)/secret/in", mode: 0o700)
        try Files.writeAtomically("\(folder.path)/secret/file", [1], mode: 0o600)
        let files = ConfinedFiles(folders: [allowed])
        var messages: Set<String> = []
        for target in [
            "\(folder.path)/secret/in", "\(folder.path)/secret", "\(folder.path)/secret/file",
            "\(folder.path)/secret/missing", "../secret", "../missing", "..", "/", "/../../etc", "link",
            "../secret/../allowed/../secret",
        ] {
            try? FileManager.default.removeItem(atPath: "\(allowed)/link")
            try FileManager.default.createSymbolicLink(atPath: "\(allowed)/link", withDestinationPath: target)
            let error = #expect(throws: DevhostError.self) { try files.open("\(allowed)/link/file") }
            #expect(error?.code == .permissionDenied)
            messages.insert(error?.description ?? "")
        }
        #expect(messages.count == 1, "\(messages)")
        for target in ["\(folder.path)/secret/file", "../missing", "\(folder.path)/secret"] {
            try FileManager.default.removeItem(atPath: "\(allowed)/link")
            try FileManager.default.createSymbolicLink(atPath: "\(allowed)/link", withDestinationPath: target)
            let error = #expect(throws: DevhostError.self) { try files.open("\(allowed)/link") }
            #expect(error?.code == .refused && error?.message.contains("not a regular file") == true)
        }
    }

    @Test func whatLinksToListedFoldersIsFound() throws {
        let folder = try TestFolder("confined")
        let (real, listed) = ("\(folder.path)/real", "\(folder.path)/listed")
        try Files.createDirectory("\(real)/in/deep", mode: 0o700)
        try Files.createDirectory("\(folder.path)/other", mode: 0o700)
        for path in ["\(real)/in/deep/file", "\(folder.path)/other/file"] {
            try Files.writeAtomically(path, [1], mode: 0o600)
        }
        // The administrator's own link.
        try FileManager.default.createSymbolicLink(atPath: listed, withDestinationPath: "real")
        for (name, target) in [
            ("absolute", "\(listed)/in"), ("resolved", "\(real)/in"), ("back", "../real/in"), ("twice", "absolute"),
            ("up", "in/deep/../../in"), ("other", "../other"),
        ] {
            try FileManager.default.createSymbolicLink(atPath: "\(real)/\(name)", withDestinationPath: target)
        }
        let files = ConfinedFiles(folders: [listed, "\(folder.path)/other"])
        for path in ["in", "absolute", "resolved", "back", "twice", "up"] {
            #expect(throws: Never.self, "\(path)") { try files.open("\(listed)/\(path)/deep/file") }
        }
        #expect(throws: Never.self) { try files.open("\(listed)/other/file") }
        let error = #expect(throws: DevhostError.self) { try files.open("\(listed)/in/missing/file") }
        #expect(error?.code == .notFound)
        let missing = #expect(throws: DevhostError.self) {
            try ConfinedFiles(folders: ["\(folder.path)/missing"]).open("\(folder.path)/missing/file")
        }
        #expect(missing?.code == .notFound)
    }
}
