import Testing

@testable import DevhostCore

@Suite struct ConfigurationTests {
    @Test func anEmptyFileIsTheContract() throws {
        let configuration = try Configuration(text: "", source: "devhost.cfg")
        #expect(configuration.layout.record(try VMName("demo")) == "/etc/devhost/vm-configs/demo.json")
        #expect(configuration.layout.consoleLog(try VMName("demo")) == "/var/lib/devhost/demo/log")
        #expect(configuration.libvirtURI == "qemu:///system")
        #expect(configuration.network.ipv4.description == "10.12.0.0/16")
        #expect(configuration.network.domain == "devhost")
    }

    @Test func everyProblemIsToldAtOnceWithItsPlace() {
        let text = """
            [devhost]
            state = relative
            start-timeout = soon
            colour = red
            [network]
            ipv4 = 10.12.0.0/24
            [nonsense]
            """
        #expect {
            try Configuration(text: text, source: "devhost.cfg")
        } throws: { error in
            let message = "\(error)"
            let wanted = ["line 2: [devhost] state", "line 3", "'colour'", "line 6: [network] ipv4", "[nonsense]"]
            return (error as? DevhostError)?.code == .invalidConfiguration && wanted.allSatisfy(message.contains)
        }
    }

    @Test func noVMCanBearTheNameOfAFolderOfOurs() throws {
        let layout = Layout()
        let own = [layout.images, layout.disks, layout.firstBoot, layout.locks, layout.bootstrapKey, layout.allocation]
        for path in own {
            let name = String(path.dropFirst(layout.state.count + 1))
            #expect(throws: DevhostError.self, "\(name)") { try VMName(name) }
        }
    }
}
