import DevhostBase
import Testing

/// Programs that run on behalf of others. One at a time has the terminal.
@Suite(.serialized) struct ProcessesTests {
    @Test(arguments: [("HUP", 7), ("TERM", 8)])
    func aSignalThatWouldEndThisProcessReachesTheProgramInstead(name: String, status: Int) async throws {
        let script = "trap 'exit \(status)' \(name); kill -\(name) $PPID; sleep 60 & wait"
        #expect(try await Processes.runAttached(Command("sh", ["-c", script])) == Int32(status))
    }

    @Test(arguments: ["", " >&2"])
    func aProgramThatWritesWithoutEndIsStopped(redirection: String) async throws {
        await expectError(.refused, containing: "more than the 1000000 bytes") {
            try await Processes.run(
                Command("sh", ["-c", "cat /dev/zero\(redirection)"]), limit: .seconds(3600), outputLimit: 1_000_000)
        }
        let fits = try await Processes.run(Command("head", ["-c", "1000000", "/dev/zero"]), outputLimit: 1_000_000)
        #expect(fits.status == 0 && fits.output.count == 1_000_000)
    }
}
