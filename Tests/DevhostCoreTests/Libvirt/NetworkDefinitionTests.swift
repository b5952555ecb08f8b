import Testing

@testable import DevhostCore

@Suite struct NetworkDefinitionTests {
    private func prepare(_ devhost: Devhost) async throws -> String? {
        try await HostPreparation(devhost: devhost, libvirt: try await devhost.libvirt()).prepare()
        return try await devhost.libvirt().networkStatus("devhost")?.uuid
    }

    /// A change of the public address must not ask for all VMs to be stopped.
    @Test func namesAreNoPartOfWhatTheNetworkIs() async throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        let before = try #require(try await prepare(devhost))
        var configuration = test.configuration
        configuration.publish = try Configuration(
            text: "[publish]\nproxy = none\npublic-address = dev.example.com", source: "devhost.cfg"
        ).publish
        let changed = Devhost(
            configuration: configuration, caller: devhost.caller, clock: devhost.clock, probe: devhost.probe,
            libvirt: devhost.libvirt)
        #expect(try await prepare(changed) == before)
    }
}
