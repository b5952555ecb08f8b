import DevhostCommandLine
import DevhostCore
import Synchronization
import Testing

@testable import DevhostCLI

/// What scripts and timers that were written for the tool before this one call.
@Suite("calls of the old tool")
struct OldToolTests {
    /// The settings with which a command line works; nil where it came to none, with its reason.
    private func settings(_ words: [String], isElevated: Bool = false) async throws -> (Configuration?, String) {
        let host = try CommandHost()
        let seen = Mutex<Configuration?>(nil)
        let errors = MemorySink()
        let maker = DevhostMaker { configuration, caller in
            seen.withLock { $0 = configuration }
            return Devhost(configuration: configuration, caller: caller, probe: ReadyProbe())
        }
        let words = isElevated ? words : words + ["--config", host.configuration]
        _ = await CommandContext.$maker.withValue(maker) {
            await FCDevhost.program.run(
                words, caller: Caller(userID: 1000, name: "alice", isElevated: isElevated), output: MemorySink(),
                errors: errors)
        }
        return (seen.withLock { $0 }, errors.text)
    }

    @Test("cleanup takes days of its own from an administrator")
    func days() async throws {
        let (given, _) = try await settings(["cleanup", "--vms", "--shutdown-days", "5", "--delete-days", "2"])
        #expect(given?.cleanup.shutdownAfter == 5)
        #expect(given?.cleanup.deleteAfter == 2)
        #expect(given?.cleanup.noticeDays == 1)
        let (usual, _) = try await settings(["cleanup", "--vms"])
        #expect(usual?.cleanup.shutdownAfter == 14 && usual?.cleanup.deleteAfter == 31)
    }

    @Test("nobody else shortens the days of others' VMs")
    func daysThroughSudo() async throws {
        for option in ["--shutdown-days", "--delete-days"] {
            let (given, reason) = try await settings(["cleanup", option, "1"], isElevated: true)
            #expect(given == nil && reason.contains("not allowed through sudo"), "\(reason)")
        }
    }

    @Test("days that are none are refused", arguments: ["0", "-1", "x", "", "36501", "9223372036854775808"])
    func noDays(_ text: String) async throws {
        let (given, reason) = try await settings(["cleanup", "--delete-days=\(text)"])
        #expect(given == nil && reason.contains("is not a number of days"), "\(reason)")
    }

    @Test("list --long-format is list -l")
    func longFormat() async throws {
        let host = try CommandHost()
        try host.write("web", #"{"name": "web", "user": "alice"}"#)
        let long = await host.run("list", "-l")
        #expect(await host.run("list", "--long-format").output == long.output)
        #expect(long.output.contains("alice"))
    }

    @Test("every command takes the location that the wrapper appends")
    func location() async throws {
        for usage in FCDevhost.program.usages where usage.passedThrough == nil {
            let operands = usage.operands.filter { !$0.isOptional }.map { _ in "x" }
            let required = usage.options.filter(\.isRequired).flatMap { ["--\($0.long)", "x"] }
            let words = usage.name.split(separator: " ").map(String.init) + required + operands + ["--location", "dev"]
            guard case .run = try FCDevhost.program.parse(words) else {
                Issue.record("\(words) is no command")
                continue
            }
        }
        #expect(!HelpText(FCDevhost.program).text().contains("--location"))
    }
}
