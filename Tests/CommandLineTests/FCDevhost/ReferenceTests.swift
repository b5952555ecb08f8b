import DevhostBase
import DevhostCommandLine
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

    @Test("the manual page is clean", .enabled(if: Tool("groff").isInstalled, "needs groff"))
    func groff() async throws {
        let command = Command("groff", ["-man", "-ww", "-z", "-Tutf8", "\(Self.root)/docs/man/fc-devhost.1"])
        #expect(try await Processes.run(command).errorText == "")
    }
}
