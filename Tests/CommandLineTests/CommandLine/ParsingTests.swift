import DevhostBase
import Testing

@testable import DevhostCommandLine

@Suite("Taking a command line apart")
struct ParsingTests {
    @Test("the table itself holds")
    func table() { #expect(SampleProgram.program.problems == []) }

    @Test("options stand before and after operands, in both spellings")
    func options() throws {
        let arguments = try SampleProgram.parse(
            "mix", "-al", "one", "--must=a=b", "two", "-s512M", "--tag", "x", "three")
        #expect(arguments.has(MixCommand.all) && arguments.has(MixCommand.long))
        #expect(arguments.text(MixCommand.must) == "a=b")
        #expect(try arguments.value(MixCommand.size, as: MemorySize.self)?.mebibytes == 512)
        #expect(arguments.texts(MixCommand.first) == ["one"])
        #expect(arguments.texts(MixCommand.rest) == ["two", "three"])
        #expect(try SampleProgram.parse("mix", "--must", "x", "-als", "1G", "a").text(MixCommand.size) == "1G")
    }

    @Test("two dashes end the options")
    func dashes() throws {
        let arguments = try SampleProgram.parse("mix", "--must", "x", "--", "-a", "--all", "--")
        #expect(arguments.texts(MixCommand.first) == ["-a"])
        #expect(arguments.texts(MixCommand.rest) == ["--all", "--"])
        #expect(!arguments.has(MixCommand.all))
    }

    @Test("of a pair of options the last one holds")
    func toggles() throws {
        #expect(try SampleProgram.parse("mix", "--must", "x", "a").toggle(MixCommand.update) == nil)
        let arguments = try SampleProgram.parse("mix", "--must", "x", "--update", "--no-update", "a")
        #expect(arguments.toggle(MixCommand.update) == false)
        #expect(
            try SampleProgram.parse("mix", "--must", "x", "--no-update", "--update", "a").toggle(MixCommand.update)
                == true)
    }

    @Test("a value may look like anything but an option of the command")
    func values() throws {
        #expect(try SampleProgram.parse("mix", "--must", "-1", "a").text(MixCommand.must) == "-1")
        #expect(try SampleProgram.parse("mix", "--must", "", "a").text(MixCommand.must) == "")
        #expect(try SampleProgram.parse("mix", "--must=", "a").text(MixCommand.must) == "")
        #expect(try SampleProgram.parse("mix", "--must=--all", "a").text(MixCommand.must) == "--all")
    }

    @Test(
        "what is wrong is named, with the next step",
        arguments: [
            ([], "a command is missing; see 'sample --help'"),
            (["mixx"], "'mixx' is not a command; did you mean 'mix'?"),
            (["zzzzzz"], "'zzzzzz' is not a command; see 'sample --help'"),
            (["--alll"], "'--alll' is not an option of 'sample'"),
            (["mix", "--alll", "a"], "'--alll' is not an option of 'mix'; did you mean --all?"),
            (["mix", "--no-updat", "a"], "'--no-updat' is not an option of 'mix'; did you mean --no-update?"),
            (["mix", "--frob", "a"], "'--frob' is not an option of 'mix'; see 'sample mix --help'"),
            (["mix", "-ax", "a"], "'-x' is not an option of 'mix'; see 'sample mix --help'"),
            (["mix", "--secre"], "'--secre' is not an option of 'mix'; see 'sample mix --help'"),
            (["mix", "a", "--must"], "--must needs a value; see 'sample mix --help'"),
            (["mix", "a", "-s"], "-s needs a value; see 'sample mix --help'"),
            (["mix", "--must", "--all", "a"], "--must needs a value; see 'sample mix --help'"),
            (["mix", "--must", "--", "a"], "--must needs a value; see 'sample mix --help'"),
            (["mix", "--must", "a", "--must=b", "c"], "--must was given twice; give it once"),
            (["mix", "--all=yes", "a"], "--all takes no value; see 'sample mix --help'"),
            (["mix", "a"], "--must is missing; see 'sample mix --help'"),
            (["mix", "--must", "x"], "FIRST is missing; see 'sample mix --help'"),
            (["group"], "'sample group' is not complete; use one of: group inner"),
            (
                ["group", "inner", "a", "b"],
                "'b' is one word too many for 'group inner'; see 'sample group inner --help'"
            ),
            (["--place", "x", "mix", "--place", "y"], "--place was given twice; give it once"),
            (["mi\u{1b}[31m\n"], "'mi\\u{1b}[31m\\u{a}' is not a command; see 'sample --help'"),
        ])
    func mistakes(words: [String], message: String) {
        let error = #expect(throws: DevhostError.self) { try SampleProgram.program.parse(words) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    @Test(
        "words are handed on as they are",
        arguments: [
            (["pass", "a"], [], false), (["pass", "a", "--", "ls", "-f", "--"], ["ls", "-f", "--"], false),
            (["pass", "a", "ls", "-f", "--help"], ["ls", "-f", "--help"], false),
            (["pass", "-f", "a", "ls"], ["ls"], true), (["pass", "a", "-f", "ls", "-f"], ["ls", "-f"], true),
            (["pass", "--", "a", "ls", "--"], ["ls", "--"], false), (["pass", "--", "a", "--", "-x"], ["-x"], false),
        ] as [([String], [String], Bool)])
    func passThrough(words: [String], passed: [String], isFast: Bool) throws {
        guard case .run(_, let arguments) = try SampleProgram.program.parse(words) else {
            Issue.record("no command")
            return
        }
        #expect(arguments.passedThrough == passed)
        #expect(arguments.has(PassCommand.fast) == isFast)
        #expect(arguments.words == ["a"])
    }

    @Test("an error of a value names its option")
    func valueErrors() throws {
        let arguments = try SampleProgram.parse("mix", "--must", "x", "--size", "1.5g", "a")
        let error = #expect(throws: DevhostError.self) { try MixCommand(arguments) }
        #expect(error?.description.hasPrefix("--size: '1.5g' is not a memory size; write") == true)
    }

    @Test("repeated operands count once, in their order")
    func operands() throws {
        let arguments = try SampleProgram.parse("mix", "--must", "x", "a", "vm2", "vm1", "vm2")
        #expect(try arguments.values(MixCommand.rest, as: VMName.self).map(\.description) == ["vm2", "vm1"])
    }

    @Test("limits of time", arguments: [("90", 90), ("90s", 90), ("5m", 300), ("24h", 86400)])
    func timeLimits(text: String, seconds: Int) throws {
        #expect(try TimeLimit(text).duration == .seconds(seconds))
    }

    @Test(
        "what is no limit of time",
        arguments: ["", "0", "-1", "s", "1.5m", "25h", "99999999999999999999h", "9223372036854775807h", "5 m", "٣"])
    func wrongTimeLimits(text: String) { #expect(throws: DevhostError.self) { try TimeLimit(text) } }

    @Test("a table that does not hold says why")
    func problems() {
        let program = Program("broken", summary: "x", options: [.flag("all", "No stop")], commands: [MixCommand.self])
        #expect(program.problems.contains("mix has two options --all"))
        #expect(program.problems.contains("the help of --all of broken does not end with a full stop") == false)
    }
}
