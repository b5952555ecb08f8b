import Testing

@testable import DevhostCore

@Suite struct EnsureTests {
    @Test func aNewVMGetsEverythingAndDestroyLeavesNothing() async throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        var request = try test.request("demo")
        request.aliases = [try Alias("app")]
        let made = try await devhost.ensure(request)
        #expect(made.state == .running)
        #expect(made.record.owner == "alice")
        #expect(made.record.id == VMIdentifier(1))
        #expect(made.record.mac?.description == "02:03:00:00:00:01")
        #expect(made.record.ipv4?.description == "10.12.0.2")
        #expect(made.record.ipv6?.description == "fd64:6576:686f:7374:3:ff:fe00:1")
        #expect(try devhost.list().map(\.name) == ["demo"])

        #expect(try await devhost.destroy(VMName("demo")))
        #expect(try devhost.list().isEmpty)
        #expect(try await !devhost.destroy(VMName("demo")))
    }
}
