import DevhostBase
import Dispatch
import Foundation
import Synchronization
import Testing

@Suite("Reading provision scripts")
struct ScriptTests {
    private func verbs(_ text: String) -> [String] {
        ProvisionScript(text, source: "provision.sh").statements.map { statement in
            "\(statement.position.line):\(statement.position.column) \(statement.verb.rawValue) "
                + statement.arguments.map(\.text).joined(separator: "|")
        }
    }

    @Test("Verbs are found wherever a command can stand")
    func commandPositions() {
        let script = """
            #!/bin/bash
            set -e
            COPY a /b   # COPY not this
            if RUN test -e "/x y"; then RUN one; elif RUN two; then :; else ECHO a b /c; fi
            for f in RUN COPY; do RUN "do $f"; done
            x=$(RUN cat /etc/os-release | RUN tr a b)
            echo "nested $(RUN inner "$(RUN deeper)")"
            `RUN back quoted`
            install() { COPY "$1" /etc/; }
            function other { RUN in-function; }
            function third() { RUN third; }
            A=1 B="2 3" RUN with-assignments
            ! RUN negated && RUN and || RUN or; RUN semicolon & RUN after
            ( RUN subshell ) | RUN tee /x |& RUN both
            { RUN group; }
            while RUN condition; do RUN body; done < list
            case "$x" in
              RUN) RUN case-one ;;
              (b|c) RUN case-two ;& d) RUN case-three;;
            esac
            case RUN in RUN) ;; esac
            time RUN timed
            coproc RUN coproc
            echo RUN not COPY this ECHO
            "RUN" quoted
            \\RUN escaped
            [[ -n $x && RUN < COPY ]] && RUN after-test
            (( x < 3 )) && RUN after-arithmetic
            echo $(( 1 + $(RUN in-arithmetic) ))
            RUNNER no
            cat <(RUN from-process) > >(RUN to-process)
            """
        #expect(
            verbs(script) == [
                "3:1 COPY a|/b", "4:4 RUN test|-e|\"/x y\"", "4:29 RUN one", "4:43 RUN two", "4:65 ECHO a|b|/c",
                "5:23 RUN \"do $f\"", "6:5 RUN cat|/etc/os-release", "6:31 RUN tr|a|b",
                "7:16 RUN inner|\"$(RUN deeper)\"", "7:29 RUN deeper", "8:2 RUN back|quoted", "9:13 COPY \"$1\"|/etc/",
                "10:18 RUN in-function", "11:20 RUN third", "12:13 RUN with-assignments", "13:3 RUN negated",
                "13:18 RUN and", "13:29 RUN or", "13:37 RUN semicolon", "13:53 RUN after", "14:3 RUN subshell",
                "14:20 RUN tee|/x", "14:34 RUN both", "15:3 RUN group", "16:7 RUN condition", "16:25 RUN body",
                "18:8 RUN case-one", "19:9 RUN case-two", "19:28 RUN case-three", "22:6 RUN timed", "23:8 RUN coproc",
                "25:1 RUN quoted", "26:1 RUN escaped", "27:30 RUN after-test", "28:16 RUN after-arithmetic",
                "29:16 RUN in-arithmetic", "31:7 RUN from-process", "31:29 RUN to-process",
            ])
    }

    @Test("Quotes, comments, continued lines and here-documents hide what is not a command")
    func quoting() {
        let script = """
            # RUN comment
            echo "RUN x; RUN y" 'RUN z
            RUN still quoted'
            cat <<EOF
            RUN not a command, but $(RUN yes)
            EOF
            cat <<'EOF'
            RUN no, and neither $(RUN this)
            EOF
            cat <<-"END" | RUN tee /x
            \tRUN no
            \tEND
            RUN a \\
              b "c
            d" # COPY x
            echo a#RUN; RUN b#c
            RUN last ${x:-"RUN }"} $'it\\'s RUN'
            """
        #expect(
            verbs(script) == [
                "5:26 RUN yes", "10:16 RUN tee|/x", "13:1 RUN a|b|\"c\nd\"", "16:13 RUN b#c",
                "17:1 RUN last|${x:-\"RUN }\"}|$'it\\'s RUN'",
            ])
    }

    @Test("Two here-documents of one line have their bodies one after the other")
    func twoHereDocuments() {
        #expect(verbs("RUN a <<A; RUN b <<B\nRUN no\nA\nRUN no\nB\nRUN c") == ["1:1 RUN a", "1:12 RUN b", "6:1 RUN c"])
    }

    @Test("Values are known as far as bash would not change them")
    func literals() throws {
        let script = ProvisionScript(#"RUN 'a b'"c"\ d /x/$Y/z *.nix "$@" {a,b} ~/x ~ä"#, source: "s")
        let arguments = try #require(script.statements.first).arguments
        #expect(arguments.map(\.literal) == ["a bc d", nil, nil, nil, nil, nil, nil])
        #expect(arguments.map(\.literalPrefix) == ["a bc d", "/x/", "", "", "", "", ""])
        #expect(arguments.map(\.canSplit) == [false, true, true, true, true, false, false])
    }

    @Test("Redirections are kept apart from words")
    func redirections() throws {
        let script = ProvisionScript("RUN a 2>&1 >/x b <in 3>>y &>z >|w", source: "s")
        let statement = try #require(script.statements.first)
        #expect(statement.arguments.map(\.text) == ["a", "b"])
        #expect(statement.redirections.map(\.symbol) == ["2>&", ">", "<", "3>>", "&>", ">|"])
        #expect(statement.redirections.map(\.target.text) == ["1", "/x", "in", "y", "z", "w"])
    }

    @Test(
        "No text makes the scanner stumble",
        arguments: [
            "", "\\", "$", "${", "$(", "`", "\"", "'", "((", "$((", "<<", "<<X", "case", "case x in", "for", "RUN $(",
            "a=(",
            "[[", "))", ";;", "esac", "}", "RUN \\\n", "\u{0}RUN", "RUN <<", "RUN >", "é$é", "function",
        ])
    func fragments(_ text: String) {
        for repeated in [text, text + text, text + "\nRUN x", String(repeating: text, count: 500)] {
            _ = ProvisionScript(repeated, source: "s")
        }
    }

    @Test("Here-documents that are not ended, or end within an expansion, are read to the end of the file")
    func hereDocumentFragments() {
        _ = ProvisionScript("cat <<A <<B\nfoo\\", source: "s")
        let parts = [
            "cat <<A <<B\n", "<<A", "<<-A", "<<'B'", " ", "\n", "\t", "A\n", "B\n", "\\", "$(", "${", "$((", "`", "\"",
            "'",
            "$x", ")", "}", "))", "x", "RUN y",
        ]
        var state: UInt64 = 1
        for _ in 0..<5000 {
            var text = "cat <<A <<B\n"
            for _ in 0..<8 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += parts[Int((state >> 33) % UInt64(parts.count))]
            }
            _ = ProvisionScript(text, source: "s")
        }
    }

    @Test("Every prefix of a script is read to its end")
    func prefixes() {
        let text =
            "if RUN a \"$(RUN b <<X\n$(RUN c)\nX\n)\" ${d:-`RUN e`} $((1+(2))); then COPY f /g; fi\ncase x in (a|b) RUN;; esac"
        for length in 0...text.count { _ = ProvisionScript(String(text.prefix(length)), source: "s") }
    }

    @Test(
        "What stands behind an odd construct is still seen",
        arguments: [
            "cat <<E\n${v:-it's} ${w#'}\nE\nRUN it", "cat <<E\n$(echo ${x\nE\nRUN it", "x=\"${v:-it's}\"\nRUN it",
            "[[ a # don't\n ]]\nRUN it", "x=$[1<<3]\nRUN it", "a[1<<3]=x\nRUN it", "cat <<E\r\nx\r\nE\r\nRUN it",
            "cat <<E\na\\\nE\nb\nE\nRUN it", "time -p RUN it", "time -- RUN it", "time -p -- RUN it",
            "for x do RUN it; done", "for x; do RUN it; done", "for x in a b; do RUN it; done",
            "x=`true # don't`; RUN it", "x=`echo \\`RUN it\\``", "x=`echo \\`true\\` b`; RUN it",
            "case esac in (esac) RUN it;; esac", "case a in b|esac) RUN it;; esac", "case a in b) ;; esac; RUN it",
            "x=${ RUN it; }", "x=${| true; }; RUN it", "x=\"${ { true; }; }\"; RUN it", "coproc X { RUN it; }",
            "cat <<A <<-B\n'\nA\n\t\"\n\tB\nRUN it", "x=$(cat <<E\n'\nE\n)\nRUN it", "exec {X}>f; RUN it",
            "a=(1 # it's\n 2)\nRUN it", "x=${#a[@]}; RUN it", "cat <<< \"it's\"; RUN it",
        ])
    func oddConstructs(_ script: String) {
        #expect(verbs(script).map { $0.split(separator: " ").dropFirst().joined(separator: " ") } == ["RUN it"])
    }

    @Test("A redirection behind braces or old arithmetic has its place, and its words are words")
    func redirectionPlaces() throws {
        let braces = try #require(ProvisionScript("RUN cat {a,b}>x", source: "s").statements.first)
        #expect(braces.arguments.map(\.text) == ["cat", "{a,b}"])
        #expect(braces.redirections.map(\.position.column) == [14])
        let arithmetic = try #require(ProvisionScript("RUN echo $[ (1+2) ] > out", source: "s").statements.first)
        #expect(arithmetic.arguments.map(\.text) == ["echo", "$[ (1+2) ]"])
        #expect(arithmetic.redirections.map(\.target.text) == ["out"])
    }

    private final class Count: Sendable {
        let value = Mutex(0)
    }

    @Test(
        "However deep a script is nested, reading it ends",
        arguments: ["${x:-", "$(", "\"$(", "`", "(", "$((", "<(", "\"${x:-", "a[$(", "$[${x:-", "case x in a) $("])
    func depth(_ opener: String) {
        let text = "RUN it\n" + String(repeating: opener, count: 30000)
        let (count, ended) = (Count(), DispatchSemaphore(value: 0))
        // As small a stack as any thread has that a caller's task may run on.
        let thread = Thread {
            count.value.withLock { $0 = ProvisionScript(text, source: "s").statements.count }
            ended.signal()
        }
        thread.stackSize = 512 << 10
        thread.start()
        ended.wait()
        #expect(count.value.withLock { $0 } == 1)
    }

    @Test("A long line keeps its columns, also behind letters of several bytes")
    func longLine() {
        let text = "echo " + String(repeating: "\"$é\" ", count: 5000) + "; RUN it"
        #expect(verbs(text) == ["1:\(5 + 5 * 5000 + 3) RUN it"])
    }
}
