import DevhostBase
import Testing

@testable import DevhostCommandLine

@Suite("Running a command line")
struct RunTests {
    @Test("results go to one place, the reason of a failure is the last line of the other")
    func places() async {
        let good = await SampleProgram.run("mix", "--must", "x", "a")
        #expect(good == (0, "mixed\n", ""))
        let bad = await SampleProgram.run("fail", "notFound")
        #expect(bad == (3, "", "sample: nothing there; look elsewhere\n"))
    }

    @Test("details stand before the reason, and nothing steers the terminal")
    func details() async {
        let result = await SampleProgram.run("fail", "busy")
        #expect(result.status == 5)
        #expect(result.errors == "line 1\nline \\u{7}2\nsample: somebody / else \\u{1b}[31m\n")
    }

    @Test("one failure does not keep the others, and all are reported")
    func several() async {
        let mixed = await SampleProgram.run("fail", "fine", "notFound", "busy", "good")
        #expect(mixed.status == 1)
        #expect(mixed.errors.hasSuffix("sample: nothing there; look elsewhere\nsample: somebody / else \\u{1b}[31m\n"))
        #expect(await SampleProgram.run("fail", "notFound", "fine", "notFound").status == 3)
        #expect(await SampleProgram.run("fail", "c", "b", "a") == (0, "c b a\n", ""))
        #expect(await SampleProgram.run("fail", "gone", "b") == (0, "", ""))
        #expect(await SampleProgram.run("fail", "gone", "notFound").status == 3)
    }

    @Test("a command that hands words on ends with their status, or with 255")
    func passing() async {
        #expect(await SampleProgram.run("pass", "a", "x", "y").status == 2)
        #expect(await SampleProgram.run("pass", "a").status == 255)
        #expect(await SampleProgram.run("pass", "a", "--nonsense").status == 2)
    }

    @Test("wrong use is 2, and what the program refuses is refused before anything runs")
    func refusals() async {
        #expect(await SampleProgram.run().status == 2)
        #expect(await SampleProgram.run("mix", "--must", "x", "--size", "nan", "a").status == 2)
        let elevated = Caller(userID: 1000, name: "alice", isElevated: true)
        let result = await SampleProgram.run("mix", "--must", "x", "--place", "/x", "a", caller: elevated)
        #expect(result == (6, "", "sample: --place is not allowed\n"))
        #expect(await SampleProgram.run("mix", "--must", "x", "--place", "/x", "a").status == 0)
    }

    @Test("a reader that has gone is no failure")
    func gone() async {
        struct Closed: TextSink {
            let hasReader = false
            let isTerminal = false
            let columns: Int? = nil
            func write(_ text: String) throws { throw ReaderIsGone() }
        }
        let caller = Caller(userID: 1000, name: "alice", isElevated: false)
        let errors = MemorySink()
        let words = ["mix", "--must", "x", "a"]
        #expect(await SampleProgram.program.run(words, caller: caller, output: Closed(), errors: errors) == .success)
        #expect(errors.text == "")
        let output = MemorySink()
        #expect(
            await SampleProgram.program.run(["nonsense"], caller: caller, output: output, errors: Closed()) == .usage)
    }

    @Test("every kind of error has a status of its own or shares one on purpose")
    func statuses() {
        let codes: [DevhostError.Code] = [
            .invalidArgument, .invalidConfiguration, .notFound, .alreadyExists, .conflict, .busy, .permissionDenied,
            .unavailable, .timedOut, .guestFailed, .refused, .insufficientSpace, .unsupported, .damaged, .failed,
        ]
        for code in codes {
            #expect(ExitStatus.table.count { $0.codes.contains(code) } == 1, "\(code)")
            #expect(ExitStatus(for: DevhostError(code, "x")) != .success)
        }
        let numbers = ExitStatus.table.map(\.status.number)
        #expect(Set(numbers).count == numbers.count)
        #expect(numbers == numbers.sorted())
    }

    @Test("the version and the help need nothing else")
    func help() async {
        #expect(await SampleProgram.run("--version").output == "sample \(Version.current)\n")
        for words in [["--help"], ["-h"], ["help"]] {
            let caller = Caller(userID: 0, name: "root", isElevated: false)
            let output = MemorySink()
            _ = await SampleProgram.program.run(words, caller: caller, output: output, errors: MemorySink())
            #expect(output.text.hasPrefix("Usage: sample [OPTION]... COMMAND"))
        }
        let help = await SampleProgram.run("blend", "--help").output
        #expect(help == (await SampleProgram.run("help", "mix")).output)
        #expect(help.hasPrefix("Usage: sample mix [OPTION]... --must WORD FIRST [REST...]\n\nTake everything.\n"))
        #expect(!help.contains("secret"))
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(await SampleProgram.run("help", "group", "inner").status == 0)
        #expect(await SampleProgram.run("help", "nonsense").status == 2)
        #expect(await SampleProgram.run("help", "--format", "man", "mix").status == 2)
    }
}
