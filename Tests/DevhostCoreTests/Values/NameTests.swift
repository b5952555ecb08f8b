import Testing

@testable import DevhostCore

@Suite struct NameTests {
    static let hostile = [
        "", String(repeating: "a", count: 64), "Demo", "..", ".", "a/b", "/etc", "-x", "x-", "a\nb", "a'b", "a\"b",
        "<x/>",
        "a\0b", "dëmo", "демо", "a b", "a.b", "a_b", "$(id)", "*", "a\u{202e}b", "ａ",
    ]

    @Test(arguments: hostile) func aHostileTextIsNoName(_ text: String) {
        #expect { try VMName(text) } throws: { ($0 as? DevhostError)?.code == .invalidArgument }
        #expect { try Alias(text) } throws: { ($0 as? DevhostError)?.code == .invalidArgument }
    }

    @Test func aNameOfDigitsAloneWouldReadAsAnAddress() {
        #expect(throws: DevhostError.self) { try VMName("12345") }
        #expect(throws: Never.self) { try Alias("2024") }
    }

    @Test(arguments: ["a", "0a", "3f2504e0", "a-b", String(repeating: "a", count: 63), "xn--dmo-6la"])
    func aLabelIsAName(_ text: String) throws {
        #expect(try VMName(text).description == text)
    }

    @Test func theErrorShowsTheValueWithoutItsControlCharacters() {
        #expect {
            try VMName("a\u{1b}[31mb\n")
        } throws: { error in
            let text = "\(error)"
            return !text.contains("\u{1b}") && !text.contains("\n") && text.contains("use 1 to 63 of a-z")
        }
    }

    @Test func aDecodedNameIsChecked() {
        #expect(throws: DecodingError.self) { try decode(VMName.self, #""..""#) }
        #expect(throws: DecodingError.self) { try decode([Alias].self, #"["ok", "<x/>"]"#) }
    }

    @Test(arguments: [
        ("'web api'", ["web", "api"]), ("web api", ["web", "api"]), ("''", []), ("", []), ("web  web", ["web"]),
        ("'web'", ["web"]), (" web ", ["web"]),
    ])
    func anAliasListComesWithBatousQuotesOrWithout(_ text: String, _ aliases: [String]) throws {
        #expect(try Alias.parseList(text).map(\.description) == aliases)
    }

    @Test(arguments: ["'web", "'web' 'api'", "\"web\"", "web,api", "''''"])
    func otherQuotesAreNoAliases(_ text: String) {
        #expect(throws: DevhostError.self) { try Alias.parseList(text) }
    }
}
