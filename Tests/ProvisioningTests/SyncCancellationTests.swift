import DevhostBase
import Foundation
import Testing

@Suite("A sync that is interrupted")
struct SyncCancellationTests {
    /// A sync to a VM whose ssh is started and never answers.
    private func sync(_ folder: String) throws -> FolderSync {
        try Data("#!/bin/sh\nexec sleep 5003\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/ssh.new"))
        chmod("\(folder)/ssh.new", 0o755)
        // By another process: a file that this one has open for writing cannot be started.
        try TestGuest.shell("cp \(folder)/ssh.new \(folder)/ssh; mkdir -p \(folder)/source")
        return try FolderSync(
            .init(
                source: "\(folder)/source/", target: try GuestTarget(host: "vm", configuration: nil),
                destination: "/srv/x",
                environment: ["PATH": "\(folder):\(Command.searchPath)"]))
    }

    @Test("ends at once, whatever it was doing when it connected, and leaves no ssh", .timeLimit(.minutes(10)))
    func whileConnecting() async throws {
        let folder = try TemporaryDirectory(prefix: "sync")
        for round in 0..<40 {
            let sync = try sync(folder.path)
            let task = Task { try await sync.once() }
            if round % 4 != 0 { try await Task.sleep(for: .milliseconds(round)) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await sync.close()
            #expect(!Files.exists(sync.temporaryFolder))
        }
        #expect(try TestGuest.shell("pgrep -f '^sleep 5003'") == "")
    }

    @Test("sends nothing more", .timeLimit(.minutes(10)))
    func afterwards() async throws {
        let folder = try TemporaryDirectory(prefix: "sync")
        let sync = try sync(folder.path)
        let task = Task { try await sync.once() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await #expect(throws: DevhostError.self) { try await sync.once() }
        await sync.close()
    }
}
