import DevhostBase
import Foundation
import Testing

@Suite("Runs", .enabled(if: TestGuest.missing == nil, "\(TestGuest.missing ?? "")"))
struct SessionTests {
    @Test(
        "A failing line is named, and ends the run with its status",
        arguments: [
            ("RUN true\nRUN 'exit 7'\nRUN touch never", "provision.sh:2: RUN 'exit 7': exit 7"),
            ("if true; then\n  RUN false\nfi", "provision.sh:2: RUN false: exit 1"),
            ("f() {\n  RUN false\n}\nf", "provision.sh:2: RUN false: exit 1"),
            ("x=$(\nRUN 'exit 3')\necho never", "provision.sh:2: RUN 'exit 3': exit 3"),
            ("(\n  true\n  RUN 'exit 4'\n)\necho never", "provision.sh:3: RUN 'exit 4': exit 4"),
            ("true\n\nls /no/such/file\necho never", "provision.sh:3: ls /no/such/file: exit 2"),
            (
                "RUN false || true\nRUN false && true\n! RUN true\nif RUN false; then :; fi\nRUN 'exit 5'",
                "provision.sh:5: RUN 'exit 5': exit 5"
            ),
            ("(RUN false) || true\nx=$(RUN false) || true\nexit 9", "provision.sh: exit 9"),
            ("set -o pipefail\nRUN false | cat\necho never", "provision.sh:2: RUN false: exit 1"),
            (". ./other.sh\necho never", "other.sh:3: RUN 'exit 6': exit 6"),
            ("trap 'echo mine' ERR\n\nRUN 'exit 8'", "provision.sh:3: RUN 'exit 8': exit 8"),
            ("trap 'RUN touch \"$R/ended\"' EXIT\nRUN \"mkdir $R\"\nfalse", "provision.sh:3: false: exit 1"),
            ("[ -e nothing ] && RUN true", "provision.sh: exit 1"),
        ])
    func failures(_ script: String, _ expected: String) async throws {
        let run = try ScriptRun()
        try run.write("other.sh", "\n\nRUN 'exit 6'\n")
        let result = try await run(script)
        #expect(result.failures == [expected])
        #expect("exit \(result.summary.status)" == expected.suffix("exit x".count))
        #expect(!result.output.contains("never"))
        if script.contains("EXIT") { #expect(Files.exists("\(run.remote)/ended")) }
    }

    @Test("With keepsGoing every failing line is reported, and the first one's status is the run's")
    func keepGoing() async throws {
        let result = try await ScriptRun()(
            "set -e\nRUN 'exit 3'\nRUN echo on\nset -e\nls /no/such\nRUN false || true\nRUN echo end"
        ) { $0.keepsGoing = true }
        #expect(result.failures == ["provision.sh:2: RUN 'exit 3': exit 3", "provision.sh:5: ls /no/such: exit 2"])
        #expect(result.output == "on\nend\n")
        #expect(result.summary.status == 3)
    }

    @Test("A dry run evaluates the script, names the verbs and connects to nobody")
    func dryRun() async throws {
        let run = try ScriptRun()
        let target = try GuestTarget(host: "vm.invalid", configuration: "/no/such/file")
        let session = try run.session(
            "x=$(echo evaluated)\nRUN rm -rf /$x\nCOPY provision.sh /x\nECHO $x /y\nssh vm.invalid true\nif RUN test; then ECHO 'a b' /z; fi",
            target: target
        ) { $0.isDryRun = true }
        let summary = try await session.run()
        #expect(summary.status == 0)
        let calls = run.collector.events.compactMap { event -> String? in
            if case .started(let call) = event { "\(call.line ?? 0) \(call.description)" } else { nil }
        }
        #expect(
            calls == [
                "2 RUN rm -rf /evaluated", "3 COPY provision.sh /x", "4 ECHO evaluated /y", "6 RUN test",
                "6 ECHO 'a b' /z",
            ])
        #expect(run.collector.text(.output) == "would run: ssh vm.invalid true\n")
    }

    @Test("What the script says and what happens arrive in order")
    func order() async throws {
        let result = try await ScriptRun()("echo one\nRUN echo two\necho three\nRUN true")
        let story = result.events.compactMap { event -> String? in
            switch event {
            case .output(_, let bytes): String(decoding: bytes, as: UTF8.self).trimmed
            case .started(let call): call.arguments.joined(separator: " ")
            default: nil
            }
        }
        #expect(story.joined(separator: "|").contains("one|echo two|"))
        #expect(story.joined(separator: "|").hasSuffix("three|true"))
    }

    @Test("A script that bash cannot read is refused before anything of it runs")
    func syntax() async throws {
        let run = try ScriptRun()
        await #expect {
            try await run("RUN mkdir $R\nif true; then\n")
        } throws: { error in
            (error as? DevhostError)?.code == .invalidArgument && "\(error)".contains("provision.sh:3:1")
        }
        #expect(!Files.exists(run.remote))
    }

    @Test("A script's input is empty, and its jobs end with it")
    func inputAndJobs() async throws {
        let run = try ScriptRun()
        let result = try await run(
            """
            if read line; then echo "$line"; else echo nothing; fi
            sleep 4000 & echo $! > job
            while read x; do RUN echo "$x" < /dev/null; done < <(printf 'a\\nb\\n')
            """)
        #expect(result.output == "nothing\na\nb\n")
        #expect(result.warnings.count == 1)
        let job = try #require(Int32(try String(contentsOfFile: "\(run.folder)/job", encoding: .utf8).trimmed))
        #expect(kill(job, 0) != 0)
    }

    @Test("A missing script, and ssh's own refusals, say what is wrong")
    func unreachable() async throws {
        let guest = try TestGuest.shared()
        let run = try ScriptRun()
        #expect(throws: DevhostError.self) {
            _ = try ProvisionSession(
                .init(
                    script: "/no/script", target: try GuestTarget(host: "vm", configuration: nil), environment: [:],
                    helper: "/bin/true")
            ) { _ in }
        }
        try TestGuest.shell("ssh-keygen -q -t ed25519 -N '' -f \(run.folder)/other")
        let cases = [
            (guest.configuration(key: "\(run.folder)/other"), "Permission denied"),
            (guest.configuration(key: "\(guest.folder)/key", port: try TestGuest.freePort()), "Connection refused"),
            (guest.configuration(key: "\(guest.folder)/key").replacing("127.0.0.1", with: "vm.invalid"), "resolve"),
            (
                guest.configuration(key: "\(guest.folder)/key").replacing("known_hosts", with: "none"),
                "Host key verification failed"
            ),
        ]
        for (configuration, expected) in cases {
            try run.write("config", configuration)
            let session = try run.session(
                "RUN true || true\necho never",
                target: try GuestTarget(host: "vm", configuration: "\(run.folder)/config"))
            await #expect {
                _ = try await session.run()
            } throws: { error in
                (error as? DevhostError)?.code == .unavailable && "\(error)".contains(expected)
            }
        }
        #expect(!run.collector.text(.output).contains("never"))
    }

    @Test("rsync missing in the VM is said; small files do not need it")
    func rsyncMissing() async throws {
        let run = try ScriptRun()
        try run.write("tree/file", "x")
        let tools = "\(run.folder)/tools"
        // sudo looks for programs in a folder that has everything else.
        try TestGuest.shell("mkdir \(tools) && ln -s /usr/bin/* /bin/* \(tools)/ 2>/dev/null; rm \(tools)/rsync")
        let guest = try TestGuest(suffix: "r", tools: tools)
        defer { guest.remove() }
        let session = try run.session(
            "COPY tree/file \"$R/file\"\nCOPY tree \"$R/\"",
            target: try GuestTarget(host: "vm", configuration: guest.sshConfiguration))
        let summary = try await session.run()
        #expect(summary.failures.first?.description.hasPrefix("provision.sh:2: COPY tree ") == true)
        #expect(run.collector.text(.errors).contains("rsync is not installed in the VM"))
        #expect(try run.content("file") == "x")
    }

    @Test("rsync missing on this machine is said; small files do not need it")
    func rsyncMissingHere() async throws {
        let run = try ScriptRun()
        try run.write("tree/file", "x")
        try run.write("provision.sh", "COPY tree/file \"$R/file\"\nCOPY tree \"$R/\"\n")
        let configuration = try TestGuest.shared().sshConfiguration
        // The file system that the command sees has no rsync to run; the guest's has.
        let said = try TestGuest.shell(
            """
            cd \(run.folder); export R=\(run.remote)
            unshare --mount sh -c 'mount --bind /dev/null "$(readlink -f "$(command -v rsync)")" && exec "$@"' sh \
                \(ScriptRun.helper) run --vm vm --ssh-config \(configuration) provision.sh </dev/null
            echo "status $?"
            """)
        #expect(said.contains("rsync is not installed"), "\(said)")
        #expect(said.contains("provision.sh:2: COPY tree ") && !said.contains("status 0\n"), "\(said)")
        #expect(try run.content("file") == "x")
    }

    @Test("A run is also a sequence of events, which ends with its summary or its error")
    func events() async throws {
        let run = try ScriptRun()
        try run.write("provision.sh", "RUN echo out\nRUN 'exit 3'\n")
        let guest = try TestGuest.shared()
        var options = ProvisionSession.Options(
            script: "\(run.folder)/provision.sh",
            target: try GuestTarget(host: "vm", configuration: guest.sshConfiguration),
            environment: ProcessInfo.processInfo.environment, helper: ScriptRun.helper)
        var seen: [String] = []
        for try await event in ProvisionSession.events(options) {
            switch event {
            case .started(let call): seen.append(call.description)
            case .ended(let summary): seen.append("\(summary.status) \(summary.verbs.count)")
            default: break
            }
        }
        #expect(seen == ["RUN echo out", "RUN 'exit 3'", "3 2"])
        options.target = try GuestTarget(host: "vm.invalid", configuration: nil)
        await #expect(throws: DevhostError.self) { for try await _ in ProvisionSession.events(options) {} }
    }

    @Test("Whoever stops to listen ends the run")
    func eventsLeft() async throws {
        let run = try ScriptRun()
        try run.write("provision.sh", "RUN 'echo $$; exec sleep 5003'\nRUN touch \"$R\"\n")
        var environment = ProcessInfo.processInfo.environment
        environment["R"] = run.remote
        let options = ProvisionSession.Options(
            script: "\(run.folder)/provision.sh",
            target: try GuestTarget(host: "vm", configuration: try TestGuest.shared().sshConfiguration),
            environment: environment, helper: ScriptRun.helper)
        var command: pid_t?
        for try await event in ProvisionSession.events(options) {
            guard case .output(_, let bytes) = event else { continue }
            command = pid_t(String(decoding: bytes, as: UTF8.self).trimmed)
            break
        }
        let process = try #require(command)
        while kill(process, 0) == 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(!Files.exists(run.remote))
    }

    @Test("A connection that breaks is reported as that, and leaves nothing behind")
    func lostConnection() async throws {
        let guest = try TestGuest(user: try TestGuest.shared().user)
        let run = try ScriptRun()
        let session = try run.session(
            "RUN \"mkdir $R; echo \\$\\$ > $R/.pid; mv $R/.pid $R/running; exec sleep 1000\" || true\necho never",
            target: try GuestTarget(host: "vm", configuration: guest.sshConfiguration))
        let task = Task { try await session.run() }
        while !Files.exists("\(run.remote)/running") { try await Task.sleep(for: .milliseconds(10)) }
        let command = try #require(Int32(try run.content("running").trimmed))
        let processes = try guest.connectionProcesses()
        #expect(!processes.isEmpty)
        for process in processes { kill(process, SIGKILL) }
        await #expect {
            _ = try await task.value
        } throws: { error in
            (error as? DevhostError)?.code == .unavailable && "\(error)".contains("the connection to vm was lost")
        }
        #expect(!run.collector.text(.output).contains("never"))
        guest.end()
        // What ran in the VM when the connection broke goes on there.
        kill(command, SIGKILL)
    }

    @Test("Cancelling ends the script and its command in the VM, and leaves nothing behind")
    func cancelling() async throws {
        let run = try ScriptRun()
        let session = try run.session(
            """
            RUN mkdir "$R"
            sleep 2000 &
            RUN "echo \\$\\$ > $R/.pid; mv $R/.pid $R/pid; sleep 3000"
            echo never
            """)
        let task = Task { try await session.run() }
        while !Files.exists("\(run.remote)/pid") { try await Task.sleep(for: .milliseconds(10)) }
        let remote = try #require(Int32(try run.content("pid").trimmed))
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        while kill(remote, 0) == 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(!run.collector.text(.output).contains("never"))
        #expect(try TestGuest.shell("pgrep -f '^sleep 2000'") == "")
        #expect(try TestGuest.shell("pgrep -f '^sleep 3000'") == "")
        #expect(!Files.exists(session.temporaryFolder))
    }

    @Test("A script knows that it is run itself, and not read by another")
    func mainGuard() async throws {
        let run = try ScriptRun()
        try run.write("library.sh", "[[ ${BASH_SOURCE[0]} == \"$0\" ]] && echo wrong || true\n")
        let result = try await run(". ./library.sh\n[[ ${BASH_SOURCE[0]} == \"$0\" ]] && echo main\nRUN false\n")
        #expect(result.output == "main\n")
        #expect(result.failures == ["provision.sh:3: RUN false: exit 1"])
    }

    @Test("Cancelling ends an ECHO that blocks in the VM", .timeLimit(.minutes(5)))
    func cancellingBlockedFile() async throws {
        let run = try ScriptRun()
        let session = try run.session("RUN mkdir \"$R\"\nRUN mkfifo \"$R/fifo\"\nECHO x \"$R/fifo\"\necho never")
        let task = Task { try await session.run() }
        func isBlocked() -> Bool {
            run.collector.events.contains { event in
                if case .started(let call) = event { call.verb == .echo } else { false }
            }
        }
        while !isBlocked() { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        #expect(!run.collector.text(.output).contains("never"))
        #expect(!Files.exists(session.temporaryFolder))
    }

    @Test("Cancelling ends connecting", .timeLimit(.minutes(5)))
    func cancellingConnection() async throws {
        let run = try ScriptRun()
        let guest = try TestGuest.shared()
        try run.write(
            "config",
            guest.configuration(key: "\(guest.folder)/key")
                + "    ProxyCommand sh -c 'echo >>\(run.folder)/asked; exec sleep 6006'\n")
        let session = try run.session(
            "RUN true\necho never", target: try GuestTarget(host: "vm", configuration: "\(run.folder)/config"))
        let task = Task { try await session.run() }
        while (try? Files.size("\(run.folder)/asked")) != 1 { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        // Who waits for the connection does not try again.
        #expect(try Files.readText("\(run.folder)/asked") == "\n")
        while try TestGuest.shell("pgrep -f '^sleep 6006'") != "" { try await Task.sleep(for: .milliseconds(10)) }
        #expect(!run.collector.text(.output).contains("never"))
    }
}
