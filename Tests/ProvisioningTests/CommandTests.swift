import DevhostBase
import Foundation
import Testing

@Suite("The command devhost-provision", .enabled(if: TestGuest.missing == nil, "\(TestGuest.missing ?? "")"))
struct CommandTests {
    /// How a command line ended.
    private struct Ended {
        let status: Int32
        let output: String
        let errors: String
    }

    private func start(_ arguments: [String], folder: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ScriptRun.helper)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardInput = FileHandle.nullDevice
        var environment = ProcessInfo.processInfo.environment
        environment["R"] = "/tmp/devhost-remote-\(folder.suffix(8))"
        process.environment = environment
        let name = UUID().uuidString
        for (file, set) in [("out", 1), ("err", 2)] {
            let path = "\(folder)/\(file)-\(name)"
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            let handle = FileHandle(forWritingAtPath: path)
            if set == 1 { process.standardOutput = handle } else { process.standardError = handle }
        }
        process.qualityOfService = .default
        try process.run()
        names[process.processIdentifier] = name
        return process
    }

    private let names = NameTable()

    /// Where the output of each process goes.
    private final class NameTable {
        private var names: [Int32: String] = [:]
        subscript(process: Int32) -> String? {
            get { names[process] }
            set { names[process] = newValue }
        }
    }

    private func end(_ process: Process, folder: String) async throws -> Ended {
        while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        let name = try #require(names[process.processIdentifier])
        let status =
            process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
        return Ended(
            status: status, output: try Files.readText("\(folder)/out-\(name)"),
            errors: try Files.readText("\(folder)/err-\(name)"))
    }

    private func run(_ arguments: [String], folder: String) async throws -> Ended {
        try await end(try start(arguments, folder: folder), folder: folder)
    }

    private func arguments(_ more: [String] = []) throws -> [String] {
        ["run", "--vm", "vm", "--ssh-config", try TestGuest.shared().sshConfiguration] + more + ["provision.sh"]
    }

    @Test("The status is the script's, the last line names what failed, and the summary counts the verbs")
    func statuses() async throws {
        let script = try ScriptRun()
        try script.write("provision.sh", "RUN echo out\nRUN 'echo err >&2'\nRUN true\nRUN 'exit 42'\n")
        let failed = try await run(arguments(["--verbose"]), folder: script.folder)
        #expect(failed.status == 42)
        #expect(failed.output == "out\n")
        #expect(failed.errors.contains("provision.sh:4: RUN 'exit 42': exit 42\n"))
        #expect(failed.errors.contains("provision.sh:1: RUN echo out\n"))
        #expect(failed.errors.contains("4 RUN in "))

        try script.write("provision.sh", "RUN 'exit 3'\nRUN echo on\n")
        let kept = try await run(arguments(["--keep-going", "--quiet"]), folder: script.folder)
        #expect(kept.status == 3 && kept.output == "on\n")
        #expect(kept.errors == "provision.sh:1: RUN 'exit 3': exit 3\n")

        let missing = try await run(["run", "--vm", "vm", "no-such.sh"], folder: script.folder)
        #expect(missing.status == 255 && missing.errors.contains("no-such.sh"))
        #expect(try await run(["run"], folder: script.folder).status == 2)
    }

    @Test("^C ends the script and the command in the VM with status 130 and leaves nothing")
    func interrupted() async throws {
        let script = try ScriptRun()
        try script.write(
            "provision.sh",
            "printf %s \"$__devhost_socket\" >socket; RUN mkdir \"$R\"\nsleep 5001 &\nRUN \"touch $R/started; exec sleep 5002\"\necho never\n"
        )
        let process = try start(arguments(), folder: script.folder)
        while !Files.exists("/tmp/devhost-remote-\(script.folder.suffix(8))/started") {
            try await Task.sleep(for: .milliseconds(10))
        }
        kill(process.processIdentifier, SIGINT)
        let ended = try await end(process, folder: script.folder)
        #expect(ended.status == 130)
        #expect(!ended.output.contains("never"))
        #expect(try TestGuest.shell("pgrep -f '^sleep 500[12]'") == "")
        let socket = try Files.readText("\(script.folder)/socket")
        #expect(socket.hasPrefix("/tmp/devhost.") && !Files.exists(Files.directory(of: socket)))
        _ = try TestGuest.shell("rm -rf /tmp/devhost-remote-\(script.folder.suffix(8))")
    }

    @Test("A run that is killed takes its script, its connection and its agents with it")
    func killed() async throws {
        let guest = try TestGuest(user: try TestGuest.shared().user)
        defer { guest.end() }
        let script = try ScriptRun()
        try script.write(
            "provision.sh",
            """
            RUN mkdir "$R"
            RUN mkfifo "$R/go"
            RUN "touch $R/started; cat $R/go" || true
            touch never
            """)
        let process = try start(
            ["run", "--vm", "vm", "--ssh-config", guest.sshConfiguration, "provision.sh"], folder: script.folder)
        let remote = "/tmp/devhost-remote-\(script.folder.suffix(8))"
        while !Files.exists("\(remote)/started") { try await Task.sleep(for: .milliseconds(10)) }
        kill(process.processIdentifier, SIGKILL)
        while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        // The command in the VM ends in its own time; its agent and the connection go with it.
        try TestGuest.shell("echo > \(remote)/go")
        while try !guest.connectionProcesses().isEmpty { try await Task.sleep(for: .milliseconds(20)) }
        while try TestGuest.shell("pgrep -f \(guest.sshConfiguration)") != "" {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(!Files.exists("\(script.folder)/never"))
        _ = try TestGuest.shell("rm -rf \(remote)")
    }

    @Test("The script's own ssh and rsync reach the named VM, whatever the caller's variables say")
    func inheritedVariables() throws {
        let script = try ScriptRun()
        try script.write(
            "provision.sh",
            """
            RUN mkdir "$R"
            echo "$PROVISION_VM $PROVISION_CONTAINER"
            ssh -F "$SSH_CONFIG" "$PROVISION_VM" id -un
            rsync -a provision.sh "$PROVISION_VM:$R/rsynced" --rsync-path="sudo rsync"
            """)
        let guest = try TestGuest.shared()
        try FileManager.default.copyItem(atPath: guest.sshConfiguration, toPath: "\(script.folder)/ssh_config_dev")
        let said = try TestGuest.shell(
            """
            cd / && export R=\(script.remote) PROVISION_VM=other PROVISION_CONTAINER=another SSH_CONFIG=/no/such/file
            export RSYNC_RSH=false
            \(ScriptRun.helper) run --vm vm --ssh-config \(script.folder)/ssh_config_dev \(script.folder)/provision.sh \
                2>&1 </dev/null
            """)
        #expect(said.contains("\nvm vm\n\(guest.user)\n"), "\(said)")
        #expect(Files.exists("\(script.remote)/rsynced"), "\(said)")
    }

    @Test("check prints places, or JSON for editors")
    func check() async throws {
        let script = try ScriptRun()
        try script.write("provision.sh", "COPY nothing /x\nRUN make > log\n")
        let text = try await run(["check", "provision.sh"], folder: script.folder)
        #expect(text.status == 1)
        #expect(text.output.hasPrefix("provision.sh:1:6: error: 'nothing' is not in "))
        #expect(text.output.contains("\nprovision.sh:2:10: warning: this writes 'log' on this machine"))
        let json = try await run(["check", "--json", "provision.sh"], folder: script.folder)
        let problems = try JSONDecoder().decode([ScriptProblem].self, from: Data(json.output.utf8))
        #expect(problems.map(\.rule) == [.missingFile, .localRedirection])
        try script.write("provision.sh", "RUN make > log\n")
        #expect(try await run(["check", "provision.sh"], folder: script.folder).status == 0)
    }

    @Test("check knows the variables of the environment")
    func checkVariables() async throws {
        let script = try ScriptRun()
        try script.write(
            "environments/dev/environment.cfg", "[environment]\n[component:a]\nb-c = 1\n")
        try script.write("environments/dev/secrets.cfg", "[a]\nd = 2\n")
        try script.write("environments/dev/provision.sh", "echo $COMPONENT_A_B_C $COMPONENT_A_D $COMPONENT_A_E\n")
        let result = try await run(["check", "environments/dev/provision.sh"], folder: script.folder)
        #expect(
            result.output.contains(":1:38: warning: no override and no secret of the environment sets $COMPONENT_A_E"))
        #expect(result.output.split(separator: "\n").count == 1)
    }

    @Test("urls prints what is published")
    func urls() async throws {
        let script = try ScriptRun()
        try script.write(
            "environments/dev/environment.cfg",
            "[provisioner:default]\nmethod = fc-nixos-dev-vm\nhost = dev.example.org\nhydra-eval = 1\n"
                + "[host:web]\nprovision-aliases = www api\n[host:new]\nprovision-dynamic-hostname = True\n")
        let result = try await run(["urls", "environments/dev/"], folder: script.folder)
        #expect(result.status == 0)
        #expect(result.output == "https://www.web.dev.example.org/\nhttps://api.web.dev.example.org/\n")
        #expect(result.errors.contains("new has no VM yet"))
    }

    @Test("The quickstart does what it says and has no problems")
    func quickstart() async throws {
        let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Examples/quickstart").path
        let hadSite = Files.exists("/srv/quickstart")
        let script = try ScriptRun()
        let check = try await run(
            ["check", "\(example)/provision.sh", "\(example)/environments/dev/provision.sh"], folder: script.folder)
        #expect(check.output == "" && check.status == 0)
        #expect(throws: Never.self) { try EnvironmentConfiguration(folder: "\(example)/environments/dev") }
        let result = try await run(
            [
                "run", "--vm", "vm", "--ssh-config", try TestGuest.shared().sshConfiguration,
                "\(example)/provision.sh",
            ], folder: script.folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("one two three"))
        #expect(result.output.contains("at 100 % of $HOME & more."))
        #expect(Files.exists("/srv/quickstart/index.html"))
        if !hadSite { _ = try TestGuest.shell("rm -r /srv/quickstart") }
    }
}
