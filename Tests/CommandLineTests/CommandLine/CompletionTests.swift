import DevhostBase
import Testing

@testable import DevhostCommandLine

@Suite("Completion")
struct CompletionTests {
    /// What bash offers for the last word.
    private func offers(_ words: [String]) async throws -> [String] {
        let script = """
            \(BashCompletion(CompletionTable(SampleProgram.program)).script())
            compopt() { :; }
            COMP_WORDS=(\(words.map(\.shellQuoted).joined(separator: " ")))
            COMP_CWORD=\(words.count - 1)
            _sample
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let result = try await Processes.require(Command("bash", ["-c", script]))
        #expect(result.errorText == "")
        return result.text.split(separator: "\n").map(String.init)
    }

    @Test("bash completes commands, options, values and names of VMs")
    func bash() async throws {
        #expect(try await offers(["sample", ""]) == ["mix", "blend", "pass", "group", "fail", "completion", "help"])
        #expect(try await offers(["sample", "m"]) == ["mix"])
        #expect(try await offers(["sample", "--place", "/", "m"]) == ["mix"])
        #expect(try await offers(["sample", "--v"]) == ["--version"])
        #expect(try await offers(["sample", "mix", "--up"]) == ["--update"])
        #expect(try await offers(["sample", "blend", "--no"]) == ["--no-update"])
        #expect(try await offers(["sample", "mix", "--se"]) == [])
        #expect(try await offers(["sample", "mix", "--tag", ""]) == ["red", "green"])
        #expect(try await offers(["sample", "mix", "--tag", "=", "g"]) == ["green"])
        #expect(try await offers(["sample", "mix", "--tag", "="]) == ["red", "green"])
        #expect(try await offers(["sample", "mix", "--size", ""]) == [])
        #expect(try await offers(["sample", "--place", "/us"]) == ["/usr"])
        #expect(try await offers(["sample", "group", ""]) == ["inner"])
        #expect(try await offers(["sample", "group", "inner", ""]) == ["one", "two"])
        #expect(try await offers(["sample", "mix", "o"]) == ["one"])
        #expect(try await offers(["sample", "help", "--format", "m"]) == ["markdown", "man"])
        #expect(try await offers(["sample", "completion", ""]) == ["bash", "zsh", "fish"])
    }

    @Test("a shell can read its script", arguments: [["bash", "-n"], ["zsh", "-n"], ["fish", "--no-execute"]])
    func syntax(shell: [String]) async throws {
        let script = await SampleProgram.run("completion", shell[0])
        #expect(script.status == 0)
        #expect(script.output.contains("mix") && !script.output.contains("secret"))
        guard Tool(shell[0]).isInstalled else { return }
        let folder = try TemporaryDirectory(prefix: "devhost-completion")
        try Files.writeAtomically("\(folder.path)/script", Array(script.output.utf8), mode: 0o600)
        try await Processes.require(Command(shell[0], [shell[1], "\(folder.path)/script"]))
    }

    @Test("an unknown shell is refused")
    func unknown() async { #expect(await SampleProgram.run("completion", "tcsh").status == 2) }
}
