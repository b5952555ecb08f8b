import Testing

@testable import DevhostCore

@Suite struct DomainDefinitionTests {
    private var definition: DomainDefinition {
        get throws {
            let mac = MACAddress(id: VMIdentifier(7))
            return DomainDefinition(
                name: "demo", uuid: "00000000-0000-4000-8000-000000000007", accelerator: .qemu, architecture: "x86_64",
                memory: try MemorySize("512M"), cpus: try CPUCount(2), maximumCPUs: 4, diskPath: "/disk",
                baseImagePath: "/image", firstBootPath: "/data", consoleLogPath: "/console", network: "devhost",
                filter: "devhost-vm", mac: mac, ipv4: try IPv4Address("10.12.0.7"), ipv6: .linkLocal(mac: mac))
        }
    }

    @Test func aCardIsFilteredOrHasNoLink() throws {
        var card = try definition
        #expect(card.renderedInterface.contains("<filterref filter='devhost-vm'>"))
        #expect(!card.renderedInterface.contains("<link"))
        card.isConnected = false
        #expect(card.renderedInterface.contains("<link state='down'/>"))
        #expect(!card.renderedInterface.contains("<filterref"))
    }

    @Test func aVMIsTheSameWithoutItsLink() throws {
        let connected = try definition
        var unconnected = connected
        unconnected.isConnected = false
        #expect(try unconnected.digest() == connected.digest(), "it needs no restart to get its link")
        #expect(try unconnected.machineDigest() == connected.machineDigest(), "the memory of a template fits it")
        #expect(try unconnected.rendered() != connected.rendered())
    }
}
