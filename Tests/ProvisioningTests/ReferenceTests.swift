import DevhostBase
import DevhostCommandLine
import Testing

@testable import DevhostProvision

@Suite("The documents of devhost-provision")
struct ReferenceTests {
    static let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()

    @Test("the table holds")
    func table() { #expect(ProvisionProgram.program.problems == []) }

    @Test("what is checked in is what the table says")
    func drift() throws {
        let page = try Files.readText("\(Self.root)/docs/devhost-provision.md")
        #expect(page == MarkdownReference(ProvisionProgram.program).text(), "write it anew: make docs")
        let manual = try Files.readText("\(Self.root)/docs/man/devhost-provision.1")
        #expect(manual == ManPage(ProvisionProgram.program).text(), "write it anew: make docs")
    }
}
