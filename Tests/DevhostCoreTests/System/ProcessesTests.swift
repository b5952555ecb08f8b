import DevhostBase
import Testing

/// Programs that run on behalf of others. One at a time has the terminal.
@Suite(.serialized) struct ProcessesTests {
    @Test(arguments: [("HUP", 7), ("TERM", 8)])
    func aSignalThatWouldEndThisProcessReachesTheProgramInstead(name: String, status: Int) async throws {
        let script = "trap 'exit \(status)' \(name); kill -\(name) $PPID; sleep 60 & wait"
        #expect(try await Processes.runAttached(Command("sh", ["-c", script])) == Int32(status))
    }
}
