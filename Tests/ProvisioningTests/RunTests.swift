import DevhostBase
import Foundation
import Testing

@Suite("RUN", .enabled(if: TestGuest.missing == nil, "\(TestGuest.missing ?? "")"))
struct RunTests {
    @Test("Several arguments reach the command exactly, as root")
    func arguments() async throws {
        let run = try ScriptRun()
        let result = try await run(
            #"""
            RUN printf '<%s>' "" 'a b' $'new\nline' '$HOME `x` \ "q"' "it's" '*' 'ä' -n --
            RUN id -un
            RUN printf %s $'\xff\x01' | od -An -tx1
            """#)
        #expect(result.summary.status == 0, "\(result.errors)")
        #expect(
            result.output == "<><a b><new\nline><$HOME `x` \\ \"q\"><it's><*><ä><-n><-->root\n ff 01\n")
        #expect(result.errors == "")
    }

    @Test("A single argument is a line of the shell, in root's home")
    func line() async throws {
        let result = try await ScriptRun()("RUN 'x=1; echo $((x + 1)) | cat; pwd; echo $HOME; umask'")
        #expect(result.output == "2\n/root\n/root\n0022\n")
    }

    @Test("Exit statuses are the command's, wherever the verb stands")
    func statuses() async throws {
        let result = try await ScriptRun()(
            """
            RUN false || echo "or $?"
            if RUN test -e /nowhere; then echo yes; else echo no; fi
            RUN 'exit 42' || echo $?
            ! RUN false
            x=$(RUN 'echo out; echo err >&2; exit 3') || echo "$? $x"
            RUN 'kill -TERM $$' || echo $?
            RUN no-such-command || echo $?
            RUN /etc/passwd || echo $?
            RUN type -t cd
            set +e; RUN 'exit 7'; echo $?
            """)
        #expect(result.summary.status == 0)
        #expect(result.output == "or 1\nno\n42\n3 out\n143\n127\n126\nbuiltin\n7\n")
        #expect(result.errors.contains("err\n"))
        #expect(result.errors.contains("no-such-command: command not found"))
    }

    @Test("Input and output are byte-exact, also when they are large")
    func bytes() async throws {
        let run = try ScriptRun()
        let result = try await run(
            """
            head -c 3000000 /dev/urandom > big
            RUN "mkdir -p $R"
            RUN tee "$R/big" < big > copy
            cmp big copy
            RUN cat "$R/big" | cmp - big
            cat big | RUN cat | RUN cat | cmp - big
            printf 'no newline' | RUN cat
            RUN 'cat; echo end' < /dev/null
            RUN cat
            RUN tee "$R/here" <<EOF
            here $((1 + 1))
            EOF
            RUN 'head -c 5; echo' <<< "hello world"
            """)
        #expect(result.summary.status == 0, "\(result.failures) \(result.errors)")
        #expect(result.output == "no newlineend\nhere 2\nhello\n")
        #expect(try run.content("here") == "here 2\n")
    }

    @Test("Verbs run side by side in pipelines and in the background")
    func concurrency() async throws {
        let run = try ScriptRun()
        let result = try await run(
            """
            RUN mkdir -p "$R"
            RUN mkfifo "$R/a" "$R/b"
            RUN "echo one > $R/a; cat $R/b" &
            RUN "cat $R/a; echo two > $R/b"
            wait
            for i in 1 2 3 4 5 6 7 8 9 10 11 12; do RUN "echo line$i" & done | sort -V | tr '\\n' ' '
            wait
            RUN 'echo late > /dev/stdout; echo late >&2' &
            """)
        #expect(result.summary.status == 0, "\(result.failures) \(result.errors)")
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(Set(lines.prefix(2)) == ["one", "two"])
        #expect(lines.last == "late" || result.output.contains("line12"))
        #expect(result.output.contains((1...12).map { "line\($0)" }.joined(separator: " ")))
        #expect(result.output.contains("late"))
        #expect(result.errors == "late\n")
    }

    @Test("A command whose reader leaves is ended as by a pipe")
    func brokenPipe() async throws {
        let result = try await ScriptRun()(
            """
            RUN yes | head -1
            RUN yes | head -1; echo "${PIPESTATUS[0]}"
            RUN 'trap "" PIPE; yes; echo still' 2>/dev/null | head -1
            RUN echo after
            """)
        #expect(result.output == "y\ny\n141\ny\nafter\n", "\(result.errors)")
        #expect(result.summary.status == 0)
    }

    @Test("Jobs that a command leaves behind neither hold the run up nor disturb other verbs")
    func guestBackground() async throws {
        let run = try ScriptRun()
        let result = try await run(
            """
            RUN mkdir -p "$R"
            RUN mkfifo "$R/go"
            RUN "{ read x < $R/go; echo noise; echo noise >&2; touch $R/done; } & echo started"
            RUN "echo > $R/go"
            RUN "until [ -e $R/done ]; do sleep 0.02; done; echo quiet"
            """)
        #expect(result.output == "started\nquiet\n")
        #expect(result.summary.status == 0)
    }

    @Test("A run needs one connection, however many verbs it has")
    func oneConnection() async throws {
        let guest = try TestGuest(user: try TestGuest.shared().user)
        let run = try ScriptRun()
        try run.write("tree/file", "x")
        let target = try GuestTarget(host: "vm", configuration: guest.sshConfiguration)
        let session = try run.session(
            """
            for i in 1 2 3 4 5; do RUN true; ECHO x "$R/x"; COPY tree "$R/"; echo x | RUN cat; done
            rsync -a tree/ "$PROVISION_VM:$R-2/"
            RUN rm -r "$R-2"
            """, target: target
        ) { $0.environment["PROVISION_VM"] = "vm" }
        let summary = try await session.run()
        #expect(summary.status == 0, "\(summary.failures) \(run.collector.text(.errors))")
        #expect(guest.connections == 1)
        #expect(summary.times.map(\.count) == [5, 11, 5])
        guest.end()
    }
}
