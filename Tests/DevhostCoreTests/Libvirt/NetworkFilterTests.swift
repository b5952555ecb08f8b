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

    private func first(_ action: String, _ texts: String...) throws -> Int {
        try #require(
            try rules(filter(services: [.init(transport: "tcp", ports: 8080...8080)])).firstIndex { rule in
                rule.action == action && texts.allSatisfy { rule.condition.contains($0) }
            }, "\(action) \(texts)")
    }

    @Test func aSourceIsVerifiedBeforeAnythingIsLetThrough() throws {
        #expect(try first("drop", "match='no' srcipaddr='$IP'") < first("accept", "<ip protocol="))
        #expect(try first("drop", "match='no' srcipaddr='$IPV6'") < first("accept", "<ipv6 protocol="))
        #expect(
            try first("accept", "srcipaddr='$LINKLOCAL'", "dstportstart='53'") < first("drop", "srcipaddr='$IPV6'"))
    }

    @Test func theDevhostsAddressesAreClosedButForWhatMayGoAnywhere() throws {
        for (layer, address, ping) in [("ip", "10.12.0.1", "icmp"), ("ipv6", "fd00::1", "icmpv6")] {
            let closed = try first("drop", "<\(layer) dstipaddr='\(address)'")
            #expect(try first("accept", "<\(layer) ", "dstportstart='8080'") < closed)
            #expect(try first("accept", "<\(layer) protocol='\(ping)'") < closed)
            #expect(try closed < first("accept", "<\(layer)/>"))
        }
    }

    @Test func whatGoesToEverybodyIsDroppedButDHCPAndNeighbourDiscovery() throws {
        let service = try first("accept", "<ip ", "dstportstart='8080'")
        #expect(try first("accept", "dstipaddr='255.255.255.255'") < first("drop", "dstipaddr='224.0.0.0'"))
        #expect(try first("drop", "dstipaddr='10.12.255.255'") < service)
        #expect(try first("drop", "dstipaddr='224.0.0.0'", "dstipmask='3'") < service)
        let groups = try first("drop", "<ipv6 dstipaddr='ff00::' dstipmask='8'")
        #expect(try first("accept", "srcipaddr='$LINKLOCAL' protocol='icmpv6'") < groups)
        #expect(try first("accept", "<ipv6 protocol='icmpv6'") < groups)
        #expect(try groups < first("accept", "<ipv6 ", "dstportstart='8080'"))
    }

    @Test func aVMIsNeitherRouterNorDHCPServer() throws {
        #expect(try first("drop", "protocol='icmpv6' type='134'") < first("accept", "<ipv6 "))
        #expect(try first("drop", "<ip protocol='udp' srcportstart='67'") < first("accept", "<ip protocol="))
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
