import Testing

@testable import DevhostCore

/// What libvirt is told about the network of the VMs. Another UUID is another network: all VMs have to stop for it.
@Suite struct NetworkGoldenTests {
    private func definition(_ text: String = "") throws -> (NetworkDefinition, AddressPlan) {
        let configuration = try Configuration(text: text, source: "devhost.cfg")
        let network = configuration.network
        let plan = AddressPlan(network: network)
        let definition = NetworkDefinition(
            name: network.name, bridge: network.bridge, domain: network.domain, gatewayMAC: AddressPlan.gatewayMAC,
            gateway: plan.gateway, prefixLength: network.ipv4.prefixLength, dynamicRange: plan.dynamicRange,
            reservedRange: plan.reservedRange, gatewayV6: plan.gatewayV6, namesFolder: configuration.layout.dnsNames,
            hostName: nil, publicAddress: nil)
        return (definition, plan)
    }

    @Test func networksAreTheGoldenOnes() throws {
        let (plain, plan) = try definition("[network]\ncapacity = 4")
        try Golden.expect(
            xml: try plain.rendered(reservations: plan.reservations(records: [])), "network/plain.xml")
        var (full, other) = try definition(
            """
            [network]
            name = office
            bridge = br-office
            domain = office
            ipv4 = 10.99.0.0/16
            ipv6 = fd00:1:2:3::/64
            capacity = 6
            """)
        full.hostName = "host1"
        full.publicAddress = "dev.example.com"
        var old = try GoldenSamples.record
        old.mac = MACAddress(id: VMIdentifier(2))
        old.ipv4 = try IPv4Address("10.99.0.6")
        try Golden.expect(
            xml: try full.rendered(reservations: other.reservations(records: [old])), "network/full.xml")
    }

    @Test func identitiesAreTheGoldenOnes() throws {
        var lines = ["default \(try definition().0.uuid())"]
        lines.append("capacity-4 \(try definition("[network]\ncapacity = 4").0.uuid())")
        let plan = try GoldenSamples.plan
        for number: UInt32 in [1, 2, 255, 256, plan.capacity] {
            let id = VMIdentifier(number)
            lines.append("id \(id) \(plan.mac(id)) \(plan.ipv4(id)) \(plan.ipv6(plan.mac(id)))")
        }
        try Golden.expect(text: lines.joined(separator: "\n"), "network/identities.txt")
    }

    @Test func filtersAreTheGoldenOnes() throws {
        let plan = try GoldenSamples.plan
        var filter = NetworkFilterDefinition(
            name: "devhost", gatewayMAC: AddressPlan.gatewayMAC, hostIPv4: [plan.gateway],
            hostIPv6: [plan.gatewayV6, .linkLocal(mac: AddressPlan.gatewayMAC)], broadcast: [plan.network.ipv4.last],
            ephemeralPorts: 32768...60999, services: [])
        try Golden.expect(xml: try filter.rendered(uuid: nil), "network/filter-plain.xml")
        filter.hostIPv4.append(try IPv4Address("192.0.2.2"))
        filter.hostIPv6.append(try IPv6Address("2001:db8::2"))
        filter.broadcast.append(try IPv4Address("192.0.2.255"))
        filter.services = try GoldenSamples.configuration.network.services.map {
            .init(transport: $0.transport, ports: $0.port...$0.port)
        }
        filter.services.append(.init(transport: "udp", ports: 5000...5010))
        let uuid = "00000000-0000-4000-8000-000000000001"
        try Golden.expect(xml: try filter.rendered(uuid: uuid), "network/filter-full.xml")
    }
}
