import DevhostBase
import Foundation
import Synchronization
import Testing

@Suite("Secrets")
struct SecretTests {
    private func mask(_ secrets: [String], _ pieces: [String]) -> String {
        var masker = SecretMasker(Secrets(secrets))
        var result: [UInt8] = []
        for piece in pieces { result += masker.add(Array(piece.utf8)) }
        return String(decoding: result + masker.finish(), as: UTF8.self)
    }

    @Test("Secrets are masked wherever a stream is cut")
    func cuts() {
        let text = "a hunter2hunter2 b hunter22 huhunter2 hunter"
        let expected = mask(["hunter2"], [text])
        #expect(expected == "a •••••• b •••2 hu••• hunter")
        for cut in 0...text.count {
            #expect(mask(["hunter2"], [String(text.prefix(cut)), String(text.dropFirst(cut))]) == expected)
        }
        #expect(mask(["hunter2"], text.map(String.init)) == expected)
    }

    @Test("The longest of overlapping secrets is masked, and every line of a long one")
    func overlapping() {
        #expect(mask(["abc", "abcdef"], ["abcdef abcde ab"]) == "••• •••de ab")
        #expect(mask(["abc", "abcdef"], ["abc", "de"]) == "•••de")
        #expect(mask(["line-one\nline-two\nx"], ["> line-two\n> x"]) == "> •••\n> x")
        #expect(mask(["it's"], [#"'it'\''s' it's"#]) == "••• •••")
        #expect(mask([""], ["text"]) == "text")
    }

    @Test("What cannot be a secret is passed on at once")
    func holdsBackOnlyBeginnings() {
        var masker = SecretMasker(Secrets(["secret"]))
        #expect(masker.add(Array("password: se".utf8)) == Array("password: ".utf8))
        #expect(masker.add(Array("cond".utf8)) == Array("second".utf8))
    }

    /// Looks at every process and every temporary file of the machine until it is stopped.
    private final class Watcher: Sendable {
        struct State {
            var isStopped = false
            var rounds = 0
            var found: Set<String> = []
        }
        let state = Mutex(State())
        let start = time(nil)
        let needle: Data
        let excluded: [String]

        init(_ needle: String, excluding excluded: [String]) {
            self.needle = Data(needle.utf8)
            self.excluded = excluded
        }

        func run() {
            while !state.withLock({ $0.isStopped }) {
                let found = look()
                state.withLock { state in
                    state.rounds += 1
                    state.found.formUnion(found)
                }
            }
        }

        private func holds(_ path: String) -> Bool {
            guard let content = try? Files.read(path, limit: 4 << 20), !content.isEmpty else { return false }
            return Data(content).range(of: needle) != nil
        }

        func look() -> [String] {
            var found: [String] = []
            for process in (try? Files.names(in: "/proc")) ?? [] where Int(process) != nil {
                if holds("/proc/\(process)/cmdline") { found.append("cmdline: \(command(process))") }
                if holds("/proc/\(process)/environ"), !isOfScript(process) {
                    found.append("environ: \(command(process))")
                }
            }
            for folder in ["/tmp", "/var/tmp", "/dev/shm", "/var/log"] {
                for file in FileManager.default.enumerator(atPath: folder)?.compactMap({ $0 as? String }) ?? [] {
                    let path = "\(folder)/\(file)"
                    var status = stat()
                    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mtim.tv_sec >= start,
                        status.st_size < 1 << 20,
                        !excluded.contains(where: path.hasPrefix)
                    else { continue }
                    if holds(path) { found.append("file: \(path)") }
                }
            }
            return found
        }

        private func command(_ process: String) -> String {
            String(((try? Files.readText("/proc/\(process)/cmdline")) ?? "").replacing("\0", with: " ").prefix(150))
        }

        /// Whether it is the script's bash, or comes from it.
        private func isOfScript(_ process: String) -> Bool {
            var next = process
            for _ in 0..<20 {
                if command(next).contains("__devhost_helper") { return true }
                guard let status = try? Files.readText("/proc/\(next)/status"),
                    let line = status.split(separator: "\n").first(where: { $0.hasPrefix("PPid:") })
                else { return true }
                next = String(line.dropFirst(5)).trimmed
                if next == "0" { return false }
            }
            return false
        }
    }

    @Test(
        "No secret shows in any process list, temporary file, log or output while a script uses it",
        .enabled(if: TestGuest.missing == nil, "\(TestGuest.missing ?? "")"))
    func canary() async throws {
        let run = try ScriptRun()
        let canary = "canary-\(UUID().uuidString)"
        let watcher = Watcher(canary, excluding: [run.remote])
        let watching = Task.detached { try await Blocking.run { watcher.run() } }
        let result = try await run(
            """
            for i in 1 2 3 4 5; do
              ECHO "$COMPONENT_DB_PASSWORD" "$R/echo"
              ECHO "$COMPONENT_DB_PASSWORD$(head -c 20000 /dev/zero | tr '\\0' x)" "$R/large"
              printf %s "$COMPONENT_DB_PASSWORD" | RUN tee "$R/tee"
              RUN tee "$R/here" <<EOF
            $COMPONENT_DB_PASSWORD
            EOF
              RUN cat "$R/echo"
              COPY provision.sh "$R/"
            done
            set -x
            ECHO "x $COMPONENT_DB_PASSWORD" "$R/echo"
            set +x
            echo "$COMPONENT_DB_PASSWORD" >&2
            RUN test "$(RUN cat "$R/tee")" = ""
            """
        ) {
            $0.environment["COMPONENT_DB_PASSWORD"] = canary
            $0.secrets = Secrets([canary])
        }
        watcher.state.withLock { $0.isStopped = true }
        _ = try await watching.value
        #expect(try run.content("echo") == "x \(canary)\n")
        #expect(try run.content("tee") == canary)
        #expect(try run.content("large").hasPrefix(canary))
        // The script's last line writes the secret into a RUN, which is its own doing.
        let found = watcher.state.withLock { $0.found }.filter { !$0.hasPrefix("cmdline: test ") }
        #expect(found == [], "\(found)")
        #expect(watcher.state.withLock { $0.rounds } > 0)
        #expect(result.output.contains("•••") && result.errors.contains("•••"))
        #expect(!"\(result.events) \(result.failures)".contains(canary))
        #expect(!result.output.contains(canary) && !result.errors.contains(canary))
        #expect(result.failures == ["provision.sh:15: RUN test '•••' = '': exit 1"])
    }

    @Test(
        "A connection that ends tells no secret",
        .enabled(if: TestGuest.missing == nil, "\(TestGuest.missing ?? "")"))
    func lostConnection() async throws {
        let guest = try TestGuest(user: try TestGuest.shared().user)
        defer { guest.end() }
        let run = try ScriptRun()
        let session = try run.session(
            """
            RUN "mkdir $R; echo \\$\\$ > $R/.pid; echo $COMPONENT_DB_PASSWORD >&2; mv $R/.pid $R/running; exec sleep 1000"
            """, target: try GuestTarget(host: "vm", configuration: guest.sshConfiguration)
        ) {
            $0.environment["COMPONENT_DB_PASSWORD"] = "canary-\(String(repeating: "x", count: 3000))-canary"
            $0.secrets = ScriptVariables.secrets(in: $0.environment)
        }
        let task = Task { try await session.run() }
        while !Files.exists("\(run.remote)/running") { try await Task.sleep(for: .milliseconds(10)) }
        let command = try #require(Int32(try run.content("running").trimmed))
        defer { kill(command, SIGKILL) }
        for process in try guest.connectionProcesses() { kill(process, SIGKILL) }
        let lost = try #require(await #expect(throws: DevhostError.self) { _ = try await task.value })
        #expect(lost.code == .unavailable && !"\(lost)".contains("xxx") && !"\(lost)".contains("canary"), "\(lost)")
        #expect(run.collector.text(.errors).contains(Secrets.mask))

        // What ssh itself says may hold a secret too.
        try run.write("config", "Host vm\n  ProxyCommand sh -c 'echo canary-two >&2; exit 1'\n")
        let other = try run.session(
            "RUN true\n", target: try GuestTarget(host: "vm", configuration: "\(run.folder)/config")
        ) {
            $0.environment["COMPONENT_DB_PASSWORD"] = "canary-two"
            $0.secrets = ScriptVariables.secrets(in: $0.environment)
        }
        let unreached = try #require(await #expect(throws: DevhostError.self) { _ = try await other.run() })
        #expect(!"\(unreached)".contains("canary") && "\(unreached)".contains(Secrets.mask), "\(unreached)")
    }

    @Test(
        "A line for bash shows in no process list, here or in the VM, while what it starts runs",
        .enabled(if: TestGuest.missing == nil, "\(TestGuest.missing ?? "")"), arguments: ["", "printf x | "])
    func lineIsNotShown(_ input: String) async throws {
        let run = try ScriptRun()
        let canary = "canary-\(UUID().uuidString)"
        let watcher = Process()
        watcher.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        watcher.arguments = ["python3", "\(INIOracleTests.root)/Tests/Support/watch-secret", "\(run.folder)/stop"]
        let (given, said) = (Foundation.Pipe(), Foundation.Pipe())
        (watcher.standardInput, watcher.standardOutput) = (given, said)
        try watcher.run()
        given.fileHandleForWriting.write(Data("\(canary)\n".utf8))
        #expect(String(decoding: said.fileHandleForReading.availableData, as: UTF8.self).hasPrefix("looking"))
        let result = try await run(
            """
            \(input)RUN ": $CANARY; sleep 0.5; tr '\\0' '\\n' </proc/self/environ | grep -c devhost_line; test -n '$CANARY'"
            """
        ) { $0.environment["CANARY"] = canary }
        #expect(result.summary.status == 0 && result.output == "0\n", "\(result.output) \(result.errors)")
        try Data().write(to: URL(fileURLWithPath: "\(run.folder)/stop"))
        let found = String(decoding: try said.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        #expect(found.trimmed.hasPrefix("looked "), "\(found)")
    }

    @Test("Secrets are masked in every form in which bash shows them, also within a longer word")
    func shellForms() async throws {
        let secrets = [
            "it's a secret", "a,b&c;d", #"back\slash"quote"#, "tab\there", "two\nlines", "bell\u{7}bell", "key=~home",
            "[glob]*?{x}", "$HOME`id`!^", "~tilde", "#hash", "ä ö'ü", "plain-secret",
        ]
        for secret in secrets {
            for locale in ["C", "C.UTF-8"] {
                let text = try TestGuest.shell(
                    """
                    s=\(secret.shellQuoted); export LC_ALL=\(locale)
                    printf '%q\n' "$s" "pre$s" "pre $s'post"; set -x; : "$s" "pre$s" "pre $s'post" 2>&1
                    """)
                var rest = mask([secret], [text])
                #expect(rest.components(separatedBy: Secrets.mask).count == 7, "\(secret) \(locale): \(text)\n\(rest)")
                rest = rest.replacing(Secrets.mask, with: "")
                for part in ["secret", "there", "lines", "bell", "home", "glob", "HOME", "tilde", "hash", "slash"] {
                    #expect(!rest.contains(part), "\(secret) \(locale): \(rest)")
                }
            }
        }
    }
}
