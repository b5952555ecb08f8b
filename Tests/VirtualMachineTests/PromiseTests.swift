import DevhostBase
import DevhostCore
import Testing

extension VirtualMachineTests {
    /// What docs/promises.md states, on a real libvirt: programs of Tests/Promises do to a devhost what happens to real
    /// ones. Their guests count as ready at once, so that hundreds of verbs take minutes.
    @Suite(.serialized) struct PromiseTests {
        /// Runs a program of Tests/Promises, and shows all that it said where it fails.
        static func run(
            _ program: String, _ arguments: String..., limit: Duration = .seconds(900),
            at location: SourceLocation = #_sourceLocation
        ) async throws {
            let folder = Files.directory(of: Files.directory(of: #filePath)) + "/Promises"
            let binaries = Files.directory(of: TestHost.program)
            let words = (["\(folder)/\(program)", binaries] + arguments).joined(separator: " ")
            let result = try await TestHost.shell("DEVHOST_TEST_HOST=1 python3 -B \(words) 2>&1", limit: limit)
            #expect(result.status == 0, "\(result.text)", sourceLocation: location)
        }

        /// The rule as it is shipped.
        static var sudoers: String {
            Files.directory(of: Files.directory(of: Files.directory(of: #filePath))) + "/scripts/fc-devhost.sudoers"
        }

        @Test func aVerbKilledAtAnyCallToLibvirtIsCompletedByTheNext() async throws {
            try await Self.run("walk.py", "--libvirt")
        }

        @Test func whatHappensToRealDevhostsLosesNothing() async throws { try await Self.run("disasters.py") }

        @Test func whateverImageIsTakenCostsLittleToOpen() async throws {
            try await Self.run("mutated_images.py", "500", "1")
        }

        /// Walks on from what the commit in Tests/Promises/upgrade-from left.
        private static func upgrade(_ arguments: String...) async throws {
            let folder = Files.directory(of: Files.directory(of: #filePath)) + "/Promises"
            let older = try await TestHost.shell("\(folder)/older-build", limit: .seconds(1200))
            try #require(older.status == 0, "\(older.errorText)")
            try await run("upgrade.py", ([older.text.trimmed] + arguments).joined(separator: " "))
        }

        @Test func vmsOfAnOlderDevhostGoOnInWhateverStateTheyAre() async throws { try await Self.upgrade() }

        @Test func aGuestOfAnOlderDevhostGoesOn() async throws {
            try await Self.upgrade("--guest", try TestHost.image().path)
        }

        @Test func aUserOfSudoGetsNothingButFCDevhost() async throws { try await Self.run("sudo.py", Self.sudoers) }
    }
}
