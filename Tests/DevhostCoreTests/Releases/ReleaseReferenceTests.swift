import DevhostCore
import Testing

/// How releases are written.
@Suite struct ReleaseReferenceTests {
    @Test func allFormsAreRead() throws {
        let channel = try ChannelName("fc-23.11-production")
        #expect(
            try ReleaseReference("fcrs://fc-23.11-production/2024_021")
                == .catalog(channel, try ReleaseName("2024_021")))
        #expect(try ReleaseReference("fcrs://fc-23.11-production/") == .catalog(channel, nil))
        #expect(try ReleaseReference("fcrs://fc-23.11-production") == .catalog(channel, nil))
        let url = try ResourceURL("https://example.org/release.json")
        #expect(try ReleaseReference("https://example.org/release.json") == .metadata(url))
        #expect(
            try ReleaseReference("file:///srv/release.json") == .metadata(try ResourceURL("file:///srv/release.json")))
        #expect(try ReleaseReference(hydraEvaluation: "4711") == .hydra(4711))
    }

    @Test(arguments: [
        "", "fcrs://", "fcrs:///", "fcrs:///release", "fcrs://a/b/c", "fcrs://a/../b", "fcrs://../etc", "fcrs://a/..",
        "fcrs://a/.hidden", "fcrs://a/b%2fc", "fcrs://a b/c", "fcrs://a/b\u{1b}[0m", "fcrs://-a/b", "fcrs://a/-b",
        "fcrs://ä/b", "ftp://example.org/x", "2024_021", "/srv/release.json", "file://host/x", "https://",
        "fcrs://a/\(String(repeating: "b", count: 129))",
    ])
    func everythingElseIsRefused(text: String) async {
        await expectError(.invalidArgument) { try ReleaseReference(text) }
    }

    @Test(arguments: ["", "0", "-1", "+1", "1.0", "0x10", "١", "18446744073709551616", "1/../2"])
    func evaluationsAreWholeNumbers(text: String) async {
        await expectError(.invalidArgument) { try ReleaseReference(hydraEvaluation: text) }
    }

    @Test func whatARecordKeepsIsReadAgain() throws {
        for text in ["fcrs://a/b", "fcrs://a/", "https://me:secret@example.org/r?key=1"] {
            let reference = try ReleaseReference(text)
            #expect(try ReleaseReference(try #require(reference.recordText)) == reference)
        }
        let secret = try ReleaseReference("https://me:secret@example.org/r?key=secret")
        #expect(!"\(secret)".contains("secret"))
        #expect(ReleaseReference.hydra(1).recordText == nil)
    }

    @Test func namesAreOrderedAsPeopleCount() throws {
        let names = try ["2024_9", "2024_10", "2023_011", "a", "2024_010", "2024_1b", "2024"].map {
            try ReleaseName($0)
        }
        #expect(
            names.sorted().map(\.description) == ["2023_011", "2024", "2024_1b", "2024_9", "2024_10", "2024_010", "a"])
    }
}
