import Testing

@testable import DevhostCore

/// What the devhost tells of what happens to its VMs.
@Suite struct EventTests {
    /// The next event; waits for it.
    private func next(_ events: inout AsyncThrowingStream<VMEvent, any Error>.Iterator) async throws -> String {
        let event = try #require(try await events.next())
        return "\(event.name) of \(event.owner ?? "nobody"): \(event.kind.rawValue)"
            + (event.reason.map { ", \($0)" } ?? "") + (event.state.map { ", \($0.rawValue)" } ?? "")
    }

    @Test func theLifeOfAVM() async throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        try await devhost.ensure(test.request("before"))
        var events = try await devhost.events().makeAsyncIterator()
        #expect(try await next(&events) == "before of alice: present, running")

        let bob = test.devhost(caller: Caller(userID: 1001, name: "bob", isElevated: true))
        try await bob.ensure(test.request("demo"))
        #expect(try await next(&events) == "demo of bob: defined, added")
        #expect(try await next(&events) == "demo of bob: started, booted, running")
        try await devhost.shutDown(VMName("demo"))
        #expect(try await next(&events) == "demo of bob: stopped, shut down, off")
        try await devhost.start(VMName("demo"))
        #expect(try await next(&events) == "demo of bob: started, booted, running")
        try await devhost.destroy(VMName("demo"))
        #expect(try await next(&events) == "demo of bob: stopped, by force, off")
        // Its record is gone by now, or goes any moment.
        #expect(try await next(&events) == "demo of bob: undefined, missing")
    }

    @Test func domainsOfOthersAreNoneOfOurs() async throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        var events = try await devhost.events().makeAsyncIterator()
        let libvirt = try await devhost.libvirt()
        let name = try VMName("stranger")
        try await libvirt.defineDomain(
            name,
            xml: "<domain type='test'><name>stranger</name><memory>65536</memory><os><type>hvm</type></os></domain>")
        try await libvirt.startDomain(name)
        try await devhost.ensure(test.request("demo"))
        #expect(try await next(&events) == "demo of alice: defined, added")
    }

    @Test func whoeverWantsNoMoreGetsNoMore() async throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        try await devhost.ensure(test.request("demo"))
        for try await event in try await devhost.events() {
            #expect(event.kind == .present)
            break
        }
        var kinds: [DomainEvent.Kind] = []
        for try await event in try await devhost.events(following: false) { kinds.append(event.kind) }
        #expect(kinds == [.present])
        try await devhost.destroy(VMName("demo"))
    }

    @Test func libvirtThatDoesNotAnswerIsSaid() async throws {
        var configuration = try TestDevhost().configuration
        configuration.libvirtURI = "qemu+unix:///system?socket=/nowhere"
        let devhost = Devhost(configuration: configuration, caller: Caller(userID: 0, name: "root", isElevated: false))
        await expectError(.unavailable) { _ = try await devhost.events() }
    }
}
