import DevhostBase
import DevhostCommandLine
import DevhostCore
import Testing

@testable import DevhostCLI

@Suite("The documents of fc-devhost")
struct ReferenceTests {
    static let root = #filePath.split(separator: "/").dropLast(4).map { "/\($0)" }.joined()

    @Test("the table holds")
    func table() { #expect(FCDevhost.program.problems == []) }

    @Test("what is checked in is what the table says")
    func drift() throws {
        let page = try Files.readText("\(Self.root)/docs/commands.md")
        #expect(
            page == MarkdownReference(FCDevhost.program).text(),
            "write it anew: make docs")
        let manual = try Files.readText("\(Self.root)/docs/man/fc-devhost.1")
        #expect(
            manual == ManPage(FCDevhost.program).text(),
            "write it anew: make docs")
    }

    @Test("a command that changes something stands in the table of rights and in the audit log")
    func verbs() {
        // What only looks, or waits.
        let reading: Set = [
            "list", "show", "logs", "wait", "snapshots", "images", "templates", "channels", "releases", "release show",
            "why", "doctor", "events", "metrics", "certificates", "help", "completion",
        ]
        for usage in FCDevhost.program.usages where !usage.isHidden && !reading.contains(usage.name) {
            #expect(Verb(rawValue: usage.name) != nil, "\(usage.name) has no right and no line in the audit log")
        }
        for verb in Verb.allCases {
            let words = verb.rawValue.split(separator: " --").map(String.init)
            #expect(FCDevhost.program.command(named: words[0]) != nil, "no command is called \(verb.rawValue)")
        }
    }

    @Test("the manual page is clean", .enabled(if: Tool("groff").isInstalled, "needs groff"))
    func groff() async throws {
        let command = Command("groff", ["-man", "-ww", "-z", "-Tutf8", "\(Self.root)/docs/man/fc-devhost.1"])
        #expect(try await Processes.run(command).errorText == "")
    }
}
