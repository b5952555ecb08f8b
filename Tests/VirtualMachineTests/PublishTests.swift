import DevhostBase
import DevhostCore
import Testing

extension VirtualMachineTests {
    /// A VM whose page the world sees through its alias, in order.
    @Suite(.serialized) struct PublishTests {
        static let settings = "[publish]\npublic-address = dev.example.test\nissuer = internal\nlanding-page = yes\n"
        static let example =
            #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/Examples/demo/serve-page"
        let devhost: Devhost
        let name: VMName

        init() throws {
            devhost = try TestHost.devhost(Self.settings)
            name = try VMName("vm-publish")
        }

        private var curl: String {
            let root = "\(Layout().proxyStorage)/pki/authorities/local/root.crt"
            return "curl -sS --max-time 30 --retry 20 --retry-delay 1 --cacert \(root) --resolve '*:443:127.0.0.1'"
        }

        @Test func step1_whatTheVMServesShowsUnderItsAlias() async throws {
            // The one of the tests before this one knows no public address.
            _ = try await TestHost.shell("virsh -q net-destroy devhost; virsh -q net-undefine devhost")
            var request = try TestHost.request(name.description)
            request.aliases = [try Alias("www")]
            try await devhost.ensure(request)
            let served = try await TestHost.shell("\(TestHost.program) login \(name) -- sudo bash -s <\(Self.example)")
            try #require(served.status == 0, "\(served.text)\(served.errorText)")
            for host in ["www.vm-publish.dev.example.test", "vm-publish.dev.example.test"] {
                let page = try await TestHost.shell("\(curl) --fail https://\(host)/")
                #expect(page.text.contains("This page comes from the VM vm-publish"), "\(page.errorText)")
            }
            let list = try await TestHost.shell("\(curl) --fail https://dev.example.test/").text
            #expect(list.contains("https://www.vm-publish.dev.example.test/") && list.contains(">on<"))
        }

        @Test func step2_theVMFindsTheDevhostAndItsOwnAliasByName() async throws {
            let line = "curl -ksS --max-time 20 https://www.vm-publish.dev.example.test/"
            #expect(try await TestHost.inside(name, line).contains("This page comes from the VM vm-publish"))
            let host = try await TestHost.shell("hostname -s").text.trimmed
            let found = try await TestHost.inside(name, "getent ahostsv4 \(host) | cut -d' ' -f1 | sort -u")
            #expect(found == "10.12.0.1")
        }

        @Test func step3_anotherVMReachesItUnderTheSameAddress() async throws {
            let peer = try VMName("vm-publish-peer")
            try await devhost.ensure(try TestHost.request(peer.description, memory: 512))
            let line = "curl -ksS --max-time 20 https://www.vm-publish.dev.example.test/"
            #expect(try await TestHost.inside(peer, line).contains("This page comes from the VM vm-publish"))
            try await devhost.destroy(peer)
        }

        @Test func step4_aVMThatIsOffIsAFriendlyPageAndOneThatIsGoneIsNone() async throws {
            try await devhost.shutDown(name)
            let line = "curl -ksS --max-time 20 --resolve '*:443:127.0.0.1'"
            let off = try await TestHost.shell("\(line) https://www.vm-publish.dev.example.test/").text
            #expect(off.contains("vm-publish does not answer"))
            #expect(try await TestHost.shell("\(curl) https://dev.example.test/").text.contains(">off<"))
            try await devhost.destroy(name)
            let gone = try await TestHost.shell("\(line) https://www.vm-publish.dev.example.test/").text
            #expect(gone == "There is nothing here.\n")
        }
    }
}
