import DevhostBase
import DevhostCommandLine
import Testing

/// The built program.
private enum Product {
    /// Where it stands: beside the tests.
    static let path =
        Files.directory(of: CommandLine.arguments.last { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0])
        + "/fc-devhost"
}

@Suite(
    "The executable itself",
    .enabled(if: Files.exists(Product.path), "needs fc-devhost beside the tests: swift build"))
struct ExecutableTests {
    /// Runs a line of shell, in which `$P` is the program.
    private func shell(_ line: String, environment: [String: String] = [:]) async throws -> CommandResult {
        var command = Command("bash", ["-c", line])
        command.environment["P"] = Product.path
        command.environment.merge(environment) { $1 }
        return try await Processes.run(command)
    }

    @Test("a reader that goes first is no failure and no noise")
    func brokenPipe() async throws {
        let result = try await shell("{ sleep 0.1; $P help --format man; echo $? >&3; } 3>&2 | :")
        #expect(result.errorText == "0\n")
    }

    @Test("output that cannot be written is a failure")
    func fullDisk() async throws {
        let result = try await shell("$P --version >/dev/full")
        #expect(result.status == 11)
        #expect(result.errorText.hasPrefix("fc-devhost: cannot write the output: "))
    }

    @Test("closed standard files", arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
    func closed(redirection: String) async throws {
        #expect(try await shell("$P --version \(redirection)").status == 0)
        #expect(try await shell("$P nonsense \(redirection)").status == 2)
    }

    /// A pipe that takes nothing more, as file 3 of a shell.
    private static let full = "f=$(mktemp -u) && mkfifo $f && exec 3<>$f && rm $f && head -c 65536 /dev/zero >&3; "

    @Test("error output that nobody reads ends nothing but itself")
    func unreadErrors() async throws {
        let result = try await shell(Self.full + "$P nonsense 2>&3; echo $?; $P --version 2>&3")
        #expect(result.text.hasPrefix("2\nfc-devhost "))
    }

    @Test("results wait for their reader")
    func unreadResults() async throws {
        let result = try await shell(
            Self.full + "$P --version >&3 & sleep 0.2; head -c 65536 <&3 >/dev/null; wait $!; echo $?; head -n 1 <&3")
        #expect(result.text.hasPrefix("0\nfc-devhost "), "\(result.text)")
    }

    @Test("what root inherits from a caller", .enabled(if: StandardFiles.caller().userID == 0, "needs root"))
    func inheritance() async throws {
        let result = try await shell(
            Self.full
                + """
                (ulimit -c unlimited; ulimit -S -s 256; ulimit -S -f 0; ulimit -S -n 16; ulimit -S -t 60; umask 0
                trap '' CHLD TERM USR1; export SUDO_UID=1000; exec nice -n 19 $P --version >&3) & p=$!
                until [[ $(ls /proc/$p/task 2>/dev/null | wc -l) -gt 2 ]] && grep -qE 'fc-devhost|exe' /proc/$p/comm; do
                  sleep 0.05; [[ -e /proc/$p ]] || exit 1; done
                cut -d' ' -f19 /proc/$p/stat; sed -n 's/^Umask:.//p' /proc/$p/status
                while read -r key mask; do [[ $key != SigIgn: ]] || for s in PIPE TSTP TTIN TTOU XFSZ CHLD TERM USR1; do
                  echo -n $((0x$mask >> $(kill -l $s) - 1 & 1)); done; done </proc/$p/status; echo
                ulimit -H -s; ulimit -H -f; ulimit -H -t
                sed -nE 's/^Max (cpu time|file size|stack size|core file size|open files) +([^ ]+).*/\\1 \\2/p' /proc/$p/limits
                head -c 65536 <&3 >/dev/null; wait $p
                """)
        let lines = result.text.split(separator: "\n").map(String.init)
        try #require(lines.count == 11, "\(result.text) \(result.errorText)")
        #expect(Array(lines[..<3]) == ["0", "0022", "11111000"])
        #expect(!lines.contains("stack size 262144") && lines.contains("core file size 0"), "\(lines)")
        #expect(!lines.contains("open files 16") && !lines.contains("cpu time 60"), "\(lines)")
        #expect(!lines.contains("file size 0"), "\(lines)")
    }

    @Test("an argument that is no UTF-8 is refused like any other")
    func bytes() async throws {
        let result = try await shell(#"$P show -- $'a\xff'"#)
        #expect(result.status == 2)
        #expect(result.errorText.hasPrefix("fc-devhost: 'a\u{fffd}' is not a VM name"))
    }

    @Test("no environment variable is looked at for paths")
    func environment() async throws {
        let names = ["HOME", "XDG_CONFIG_HOME", "DEVHOST_CONFIG", "LIBVIRT_DEFAULT_URI", "TMPDIR"]
        let hostile = Dictionary(uniqueKeysWithValues: names.map { ($0, "/nonexistent") })
        let plain = try await shell("$P list")
        let moved = try await shell("$P list", environment: hostile)
        #expect(plain.status == moved.status && plain.output == moved.output && plain.errorOutput == moved.errorOutput)
    }
}
