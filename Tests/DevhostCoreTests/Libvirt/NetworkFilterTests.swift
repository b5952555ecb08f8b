import FoundationEssentials
import Testing

@testable import DevhostCore

@Suite struct NetworkFilterTests {
    private func filter(services: [NetworkFilterDefinition.Service] = []) throws -> NetworkFilterDefinition {
        NetworkFilterDefinition(
            name: "devhost", gatewayMAC: AddressPlan.gatewayMAC, hostIPv4: [try IPv4Address("10.12.0.1")],
            hostIPv6: [try IPv6Address("fd00::1")], ephemeralPorts: 32768...60999, services: services)
    }

    /// The condition of each rule for what leaves the VM, in the order they act in.
    private func rules(_ filter: NetworkFilterDefinition) throws -> [(action: String, condition: String)] {
        try filter.rendered(uuid: nil).components(separatedBy: "<rule ").dropFirst().map { rule in
            (rule.contains("action='accept'") ? "accept" : "drop", rule)
        }
    }

    @Test func whatASourceMayReachIsDecidedBeforeItIsRefusedTheRest() throws {
        for source in ["$LINKLOCAL", "$IPV6"] {
            let own = try rules(filter()).filter { $0.condition.contains("srcipaddr='\(source)'") }
            let ping = own.firstIndex { $0.condition.contains("icmpv6") && $0.action == "accept" }
            let drop = own.firstIndex { $0.action == "drop" }
            #expect(try #require(ping) < #require(drop))
        }
        let unbound = try rules(filter()).filter { $0.action == "drop" && $0.condition.contains("dstipaddr='fd00::1'") }
        #expect(
            unbound.allSatisfy { $0.condition.contains("srcipaddr=") }, "one source's refusal must not bind another")
    }

    @Test func theDigestStandsInTheFilterAndFollowsItsRules() throws {
        let plain = try filter()
        let open = try filter(services: [.init(transport: "tcp", ports: 8080...8080)])
        #expect(try plain.rendered(uuid: nil).contains(plain.digest().description))
        #expect(try plain.digest() != open.digest())
        #expect(try plain.digest() == filter().digest())
    }

    @Test func namesAreEscapedWhereverTheyStand() {
        let element = XMLElement("a", ["b": "<'\"&>"], text: "</a>&")
        #expect(element.rendered == "<a b='&lt;&apos;&quot;&amp;&gt;'>&lt;/a&gt;&amp;</a>")
    }
}
