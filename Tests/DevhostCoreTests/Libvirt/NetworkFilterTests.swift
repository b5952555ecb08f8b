import FoundationEssentials
import Testing

@testable import DevhostCore

@Suite struct NetworkFilterTests {
    private func filter(services: [NetworkFilterDefinition.Service] = []) throws -> NetworkFilterDefinition {
        NetworkFilterDefinition(
            name: "devhost", gatewayMAC: AddressPlan.gatewayMAC, hostIPv4: [try IPv4Address("10.12.0.1")],
            hostIPv6: [try IPv6Address("fd00::1")], broadcast: [try IPv4Address("10.12.255.255")],
            ephemeralPorts: 32768...60999, services: services)
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

    @Test func whatGoesToEverybodyIsDroppedButDHCPAndNeighbourDiscovery() throws {
        func first(_ action: String, _ texts: String...) throws -> Int? {
            try rules(filter()).firstIndex { rule in
                rule.action == action && texts.allSatisfy { rule.condition.contains($0) }
            }
        }
        let any = try #require(try first("accept", "<ip/>"))
        #expect(try #require(try first("drop", "dstipaddr='10.12.255.255'")) < any)
        #expect(try #require(try first("drop", "dstipaddr='224.0.0.0'", "dstipmask='4'")) < any)
        for source in ["$LINKLOCAL", "$IPV6"] {
            let neighbours = try first("accept", "srcipaddr='\(source)'", "dstipaddr='ff00::'", "protocol='icmpv6'")
            let drop = try first("drop", "srcipaddr='\(source)'", "dstipaddr='ff00::'")
            #expect(try #require(neighbours) < #require(drop))
        }
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
