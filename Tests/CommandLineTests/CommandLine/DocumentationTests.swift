import DevhostBase
import Testing

@testable import DevhostCommandLine

@Suite("Documents from the table")
struct DocumentationTests {
    @Test("markup in texts is text")
    func markdown() {
        #expect(MarkdownReference.escaped("a*b_<c>|`[") == #"a\*b\_\<c\>\|\`\["#)
        let page = MarkdownReference(SampleProgram.program).text()
        #expect(page.contains("| [`mix`, `blend`](#mix) | take everything |"))
        #expect(page.contains("## group inner") && page.contains("(#group-inner)"))
        #expect(!page.contains("secret"))
    }

    @Test("dashes and quotes of the manual page are those of a command line")
    func roff() {
        #expect(ManPage.escaped(#"--a 'b' \ ~"#) == #"\-\-a \(aqb\(aq \e \(ti"#)
    }

    @Test("the manual page is clean", .enabled(if: Tool("groff").isInstalled, "needs groff"))
    func groff() async throws {
        var command = Command("groff", ["-man", "-ww", "-z", "-Tutf8"])
        command.input = Array(ManPage(SampleProgram.program).text().utf8)
        let result = try await Processes.run(command)
        #expect(result.status == 0)
        #expect(result.errorText == "")
    }
}
