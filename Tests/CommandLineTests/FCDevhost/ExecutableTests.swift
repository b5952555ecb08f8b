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
