import DevhostBase
import Foundation
import Testing

/// Python's own readers, set as batou sets them, say what stands in generated files. More files, and others, are read with
/// DEVHOST_FUZZ_ROUNDS and DEVHOST_FUZZ_SEED.
@Suite("INI files as batou reads them")
struct INIOracleTests {
    static let rounds = ProcessInfo.processInfo.environment["DEVHOST_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 1
    static let seed = ProcessInfo.processInfo.environment["DEVHOST_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
    static let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
    /// The wheel of ConfigUpdater among those that the tests with batou have fetched.
    static let configUpdater: String? = ProcessInfo.processInfo.environment["DEVHOST_TEST_BATOU"].flatMap { folder in
        (try? Files.names(in: folder))?.first { $0.lowercased().hasPrefix("configupdater-") }.map { "\(folder)/\($0)" }
    }

    /// What a reader makes of a file, as bytes: to Swift, texts that only look the same are equal.
    typealias Content = [[[[UInt8]]]]

    /// Where this reader and batou's may differ, and why.
    private static let differences = [
        "is not a [section]": "nobody who writes '[open = x' means a key '[open'",
        "there is a NUL": "no variable can hold one",
    ]

    private func check(_ kind: String, _ dialect: INIDialect, _ arguments: [String], files: [String]) async throws {
        let folder = try TemporaryDirectory(prefix: "ini")
        for (index, text) in files.enumerated() {
            let number = String(index + 1_000_000)
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/\(number)"))
        }
        let result = try await Processes.run(
            Command("python3", ["\(Self.root)/Tests/Support/read-ini", kind, folder.path] + arguments),
            limit: .seconds(600), outputLimit: 1 << 30)
        #expect(result.status == 0, "\(result.errorText)")
        let answers = result.text.split(separator: "\n")
        try #require(answers.count == files.count)
        var (taken, refused) = (0, 0)
        for (text, answer) in zip(files, answers) {
            let theirs = try JSONSerialization.jsonObject(with: Data(answer.utf8), options: .fragmentsAllowed) as? [Any]
            do {
                let document = try INIDocument(text, source: "x", dialect: dialect)
                taken += 1
                let ours: Content = document.sections.map { section in
                    [[Array(section.name.utf8)]] + section.entries.map { [Array($0.key.utf8), Array($0.value.utf8)] }
                }
                #expect(try ours == theirs.map(Self.content), "\(text.debugDescription)\n\(answer)")
            } catch let error as DevhostError {
                refused += 1
                let isKnown = Self.differences.keys.contains { error.message.contains($0) }
                #expect(theirs == nil || isKnown, "\(text.debugDescription)\n\(error)\n\(answer)")
            }
        }
        #expect(taken > files.count / 3 && refused > files.count / 50, "\(taken) taken, \(refused) refused")
    }

    private static func content(_ sections: [Any]) throws -> Content {
        try sections.map { section in
            let parts = try #require(section as? [Any])
            let name = try #require(parts.first as? String)
            let entries = try #require(parts.last as? [[String]])
            return [[Array(name.utf8)]] + entries.map { $0.map { Array($0.utf8) } }
        }
    }

    @Test("Sections, keys and values of environment.cfg are those of configparser, or both refuse the file")
    func environment() async throws {
        var generator = INIGenerator(seed: Self.seed)
        try await check(
            "environment", .environment, [], files: (0..<(1500 * Self.rounds)).map { _ in generator.file() })
    }

    @Test(
        "Sections, keys and values of secrets are those of ConfigUpdater, or both refuse the file",
        .enabled(if: configUpdater != nil, "needs the folder that Tests/Batou/wheels prints in DEVHOST_TEST_BATOU"))
    func secrets() async throws {
        var generator = INIGenerator(seed: Self.seed, isTame: true)
        let wheel = try #require(Self.configUpdater)
        try await check(
            "secrets", .secrets, [wheel], files: (0..<(1500 * Self.rounds)).map { _ in generator.file() })
    }
}
