import DevhostBase
import Foundation
import Testing

@testable import DevhostProvision

@Suite("A VM that means to fill the memory of who prepares it")
struct HostileGuestTests {
    /// Runs `devhost-provision` with a hostile ssh.
    /// - Returns: Its status, what it said, and the most memory that it or anything below it had, in KiB.
    private func run(_ mode: String, _ script: String) async throws -> (status: Int32, errors: String, memory: Int) {
        let folder = try TemporaryDirectory(prefix: "hostile")
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/ssh", withDestinationPath: "\(INIOracleTests.root)/Tests/Support/hostile-ssh")
        try Data(mode.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/mode"))
        try Data(script.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/provision.sh"))
        let measured = """
            import resource, subprocess, sys
            ended = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
            sys.exit(ended.returncode)
            """
        var command = Command(
            "python3", ["-c", measured, ScriptRun.helper, "run", "--vm", "vm", "\(folder.path)/provision.sh"])
        command.environment = ["PATH": "\(folder.path):\(Command.searchPath)"]
        let result = try await Processes.run(command, limit: .seconds(300))
        return (result.status, result.errorText, try #require(Int(result.text.trimmed)))
    }

    @Test(
        "What a VM answers is bounded, and the error says what is wrong",
        arguments: [
            ("zeros", "the VM answers with more than 65536 bytes where a line was asked for"),
            ("errors", "cannot reach vm"), ("mark", "the VM answers with what is not our agent's"),
            ("late-mark", "the VM answers with what is not our agent's"),
        ])
    func bounded(_ mode: String, _ words: String) async throws {
        let ended = try await run(mode, "RUN true\n")
        #expect(ended.status != 0 && ended.errors.contains(words), "\(ended)")
        #expect(ended.memory < 128 << 10, "\(ended.memory) KiB")
    }

    @Test("A command may say as much as it likes, and nobody keeps it")
    func output() async throws {
        let ended = try await run("output", "RUN true\n")
        #expect(ended.status == 0, "\(ended)")
        #expect(ended.memory < 128 << 10, "\(ended.memory) KiB")
    }

    @Test(
        "Many short lines, and one without an end, are shown in time that grows with their length",
        .timeLimit(.minutes(10)))
    func lines() {
        let lines = PrefixedLines("web: ")
        let newlines = [UInt8](repeating: 0x0a, count: 1 << 20)
        #expect(lines.add(newlines, to: 1).count == 6 << 20)
        var count = 0
        for _ in 0..<(1 << 18) { count += lines.add([0x78], to: 1).count }
        #expect(count > 1 << 17 && count < 1 << 19)
    }

    @Test("The beginning of a long secret in small pieces costs no more than in large ones", .timeLimit(.minutes(10)))
    func masking() {
        let secret = String((0..<100_000).map { "abcdefghij\($0 % 7)".last ?? "x" })
        var masker = SecretMasker(Secrets([secret]))
        var shown: [UInt8] = []
        for byte in secret.utf8.dropLast() { shown += masker.add([byte]) }
        #expect(shown.isEmpty)
        #expect(masker.add(Array("!".utf8)).count == secret.utf8.count)
        for byte in secret.utf8 { shown += masker.add([byte]) }
        #expect(String(decoding: shown + masker.finish(), as: UTF8.self) == Secrets.mask)
    }
}
