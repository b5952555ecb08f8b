import Testing

@testable import DevhostCore

@Suite struct NetworkDefinitionTests {
    private func network(_ settings: String) async throws -> String {
        let test = try TestDevhost(publish: "proxy = none\n" + settings)
        let devhost = test.devhost()
        try await HostPreparation(devhost: devhost, libvirt: try await devhost.libvirt()).prepare()
        return try await devhost.libvirt().networkStatus("devhost")?.uuid ?? ""
    }

    /// A change of the public address must not ask for all VMs to be stopped.
    @Test func namesAreNoPartOfWhatTheNetworkIs() async throws {
        let one = try await network("")
        #expect(!one.isEmpty)
        #expect(try await network("public-address = dev.example.com") == one)
    }
}
