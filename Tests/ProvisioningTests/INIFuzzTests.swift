import DevhostBase
import Testing

@Suite("INI files that are broken, long or hostile")
struct INIFuzzTests {
    private static let dialects: [INIDialect] = [.devhost, .environment, .secrets]

    /// Reads a text in every way in which it can be read.
    private func read(_ text: String) {
        for dialect in Self.dialects { _ = try? INIDocument(text, source: "x", dialect: dialect) }
        _ = try? EnvironmentConfiguration(text, folder: "/e")
        _ = try? EnvironmentSecrets(text, source: "secrets.cfg")
    }

    @Test("What is cut, spliced or sprinkled with odd characters is read or refused")
    func spliced() throws {
        var generator = INIGenerator(seed: INIOracleTests.seed)
        let odd = [
            "\0", "\r", "\n", "\u{feff}", "\u{85}", "\u{2028}", "[", "]", "=", ":", "#", " ", "\u{301}", "\u{10ffff}",
        ]
        var last = Array(generator.file(oddness: 20).unicodeScalars)
        for _ in 0..<(150 * INIOracleTests.rounds) {
            var scalars = Array(generator.file(oddness: 20).unicodeScalars)
            let cut = generator.number(scalars.count + 1)
            switch generator.number(3) {
            case 0: scalars = Array(scalars[..<cut])
            case 1: scalars = Array(scalars[cut...] + last[..<generator.number(last.count + 1)])
            default: scalars.insert(contentsOf: generator.one(of: odd).unicodeScalars, at: cut)
            }
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            read(String(text))
            if !scalars.isEmpty { last = scalars }
        }
    }

    /// Files of 128 KiB, each with something that there can be much of.
    private static var files: [(name: String, text: () -> String)] {
        [
            ("keys", { "[component:a]\n" + numbered { "k\($0) = v\n" } }),
            ("the same key", { "[component:a]\n" + numbered { _ in "k = v\n" } }),
            ("sections", { numbered { "[component:s\($0)]\n" } }),
            ("the same section", { numbered { _ in "[host:a]\n" } }),
            ("hosts", { numbered { "[host:h\($0)]\nprovisioner = none\n" } }),
            ("provisioners", { numbered { "[provisioner:p\($0)]\nmethod = x\n" } }),
            ("lines of a value", { "[component:a]\nk =\n" + numbered { "  \($0)\n" } }),
            ("empty lines of a value", { "[component:a]\nk = x\n" + numbered { _ in " \n" } + "  x\n" }),
            ("comments", { "[component:a]\nk = x\n" + numbered { _ in "# c\n" } + "  x\n" }),
            ("one line", { "[component:a]\nk = " + numbered { "\($0)" } }),
            ("blanks", { "[component:a]\nk = x" + numbered { _ in "\u{3000}" } + "x" }),
            ("brackets", { numbered { _ in "[" } + numbered { _ in "]" } }),
            ("carriage returns", { "[component:a]\nk = x" + numbered { _ in "\r" } }),
            ("nonsense", { numbered { _ in "x\n" } }),
            ("aliases", { "[host:a]\nprovision-aliases =" + numbered { " a\($0)" } }),
        ]
    }

    @Test(
        "A long file takes a time that grows with its length and no faster", .timeLimit(.minutes(10)),
        arguments: files.map(\.name))
    func long(_ name: String) throws { read(try #require(Self.files.first { $0.name == name }).text()) }

    private static func numbered(_ line: (Int) -> String) -> String {
        var text = ""
        var number = 0
        while text.utf8.count < 1 << 17 {
            text += line(number)
            number += 1
        }
        return text
    }

    @Test("What [DEFAULT] gives to all sections together has a limit that is told, and problems are told up to one")
    func limits() throws {
        func file(_ settings: Int, _ sections: Int) -> String {
            "[DEFAULT]\n" + (0..<settings).map { "k\($0) = v\n" }.joined()
                + (0..<sections).map { "[component:s\($0)]\n" }.joined()
        }
        #expect(try EnvironmentConfiguration(file(1000, 100), folder: "/e").overrides.count == 100_000)
        let error = #expect(throws: DevhostError.self) { try EnvironmentConfiguration(file(1001, 100), folder: "/e") }
        #expect(
            error?.message.contains(
                "line 2: [DEFAULT] has 1001 settings for 100 sections; together sections take at most")
                == true, "\(String(describing: error))")
        let many = #expect(throws: DevhostError.self) {
            try INIDocument("[a]\n" + String(repeating: "x\n", count: 60), source: "x")
        }
        #expect(many?.message.hasSuffix("; and 10 lines more") == true, "\(String(describing: many))")
    }
}
