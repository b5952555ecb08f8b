import Testing

@testable import DevhostCore

@Suite struct TextFormTests {
    @Test(arguments: [
        ("2024-05-01T12:00:00", "2024-05-01T12:00:00+00:00"),
        ("2024-05-01T12:00:00.123456", "2024-05-01T12:00:00+00:00"),
        ("2024-05-01T12:00:00.5+00:00", "2024-05-01T12:00:00+00:00"),
        ("2024-05-01T14:00:00+02:00", "2024-05-01T12:00:00+00:00"),
        ("2024-05-01T10:00:00-02:00", "2024-05-01T12:00:00+00:00"),
        ("2024-05-01 12:00:00", "2024-05-01T12:00:00+00:00"),
        ("2024-05-01T12:00:00Z", "2024-05-01T12:00:00+00:00"),
    ])
    func aDateWithoutAZoneIsUTC(_ text: String, _ utc: String) throws {
        #expect(try Timestamp(text).description == utc)
    }

    @Test(arguments: ["", "yesterday", "2024-05-01", "12:00", "2024-13-01T00:00:00"])
    func aWrongDateIsRefused(_ text: String) {
        #expect(throws: DevhostError.self) { try Timestamp(text) }
    }

    @Test func aHashIsTakenInBothSpellings() throws {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        let ofBytes = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        let ofHex = "sha256-ZTNiMGM0NDI5OGZjMWMxNDlhZmJmNGM4OTk2ZmI5MjQyN2FlNDFlNDY0OWI5MzRjYTQ5NTk5MWI3ODUyYjg1NQ=="
        #expect(try SHA256Digest(subresourceIntegrity: ofBytes).description == hex)
        #expect(try SHA256Digest(subresourceIntegrity: ofHex).description == hex)
        #expect(throws: DevhostError.self) { try SHA256Digest(subresourceIntegrity: "sha256-AAAA") }
        #expect(throws: DevhostError.self) { try SHA256Digest(subresourceIntegrity: "sha1-" + hex) }
    }

    @Test func aPublicKeyIsOneOfAKnownTypeWithoutOptions() throws {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGc7V2c2zFPRMl8/gmBv1/MEldEuJau8jHjhx+2qziYs me@here"
        #expect(try AuthorizedKey(key + "\n").description == key)
        let wrong = [
            "", "ssh-ed25519", "ssh-ed25519 AAAA", "command=\"id\" " + key, key + "\nssh-rsa AAAA",
            key.replacing("ssh-ed25519 ", with: "ssh-rsa "), "-----BEGIN OPENSSH PRIVATE KEY-----",
        ]
        for text in wrong { #expect(throws: DevhostError.self, "\(text)") { try AuthorizedKey(text) } }
    }

    @Test(arguments: ["", "a b", "a'b", "$(id)", "a\nb", "plain", "ü", "a\"b", "\\", "'\u{301}; id '\u{301}"])
    func aQuotedWordReachesAShellAsItIs(_ text: String) async throws {
        let result = try await Processes.run(Command("sh", ["-c", "printf %s \(text.shellQuoted)"]))
        #expect(result.text == text)
    }

    @Test func aConsoleIsShownWithoutWhatSteersATerminal() {
        let text = "[\u{1b}[0;32m  OK  \u{1b}[0m] up\r\n\u{1b}]0;title\u{07}\tend\u{9b}31m\u{1b}["
        #expect(text.printableLines == "[  OK  ] up\n\\u{1b}]0;title\\u{7}\tend\\u{9b}31m")
    }

    @Test func anINIFileIsReadAsPythonReadsIt() throws {
        let document = try INIDocument(
            """
            # comment
            [a]
            Key = value
            list =
                one
                two
            colon: x = y

            [host:x.y]
            empty =
            """, source: "test")
        #expect(document["a"]?["key"]?.value == "value")
        #expect(document["a"]?["list"]?.value == "one\ntwo")
        #expect(document["a"]?["colon"]?.value == "x = y")
        #expect(document["host:x.y"]?["empty"]?.value == "")
        #expect(document["host:x.y"]?["empty"]?.line == 10)
    }

    @Test func ofDevhostCfgNothingMoreIsTaken() throws {
        for text in ["[a] # x\n", "[a]\nk = 1\nK = 2\n", "[DEFAULT]\n[DEFAULT]\n", "[a]\nk = 1\u{2028}nonsense\n"] {
            #expect(throws: DevhostError.self, "\(text)") { try INIDocument(text, source: "devhost.cfg") }
        }
        let document = try INIDocument("[DEFAULT]\nk = 1\n[a]\nList =\n\n  x\n", source: "devhost.cfg")
        #expect(document.sections.map(\.name) == ["DEFAULT", "a"])
        #expect(document["a"]?.entries.map(\.key) == ["list"] && document["a"]?["list"]?.value == "x")
    }

    @Test func aWrongINIFileTellsEveryLine() {
        #expect {
            try INIDocument("x = 1\n[a]\nnonsense\nb = 1\nb = 2\n[a]\n", source: "test")
        } throws: { error in
            let text = "\(error)"
            return ["line 1", "line 3", "line 5", "line 6"].allSatisfy(text.contains)
        }
    }
}
