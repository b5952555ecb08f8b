/// The network filter that every VM's interface passes (https://libvirt.org/formatnwfilter.html): a VM speaks as itself
/// only, plays neither DHCP server nor router, and reaches of the devhost itself what it needs.
///
/// The rules act on the bridge and keep no state, so answers to connections that the devhost opened are let through by
/// the devhost's own range of ephemeral ports.
struct NetworkFilterDefinition {
    /// A TCP or UDP port of the devhost that VMs may reach.
    struct Service: Hashable, Sendable {
        var transport: String
        var ports: ClosedRange<Int>
    }

    var name: String
    var gatewayMAC: MACAddress
    /// The devhost's own addresses.
    var hostIPv4: [IPv4Address]
    var hostIPv6: [IPv6Address]
    /// The addresses that stand for everybody in a network of the devhost's, other than 255.255.255.255.
    var broadcast: [IPv4Address]
    var ephemeralPorts: ClosedRange<Int>
    /// What VMs may reach on the devhost, beside DHCP and answers.
    var services: [Service]

    /// The digest of the rules, which stands in the filter as the comment of its first rule: libvirt keeps a filter's
    /// UUID for life and writes its XML anew, so neither tells whether the rules are these.
    func digest() throws -> SHA256Digest { try SHA256Hasher.digest(Array(body(uuid: nil, mark: "").rendered.utf8)) }

    /// The filter, under the UUID that it has already where it exists.
    func rendered(uuid: String?) throws -> String { body(uuid: uuid, mark: try digest().description).rendered }

    /// Every rule is a program that libvirt runs at each start of a VM, 24 ms each as measured, so what holds for several
    /// addresses is said once: services are let through to whatever address they are at, before the devhost's addresses
    /// are closed.
    private func body(uuid: String?, mark: String) -> XMLElement {
        var rules = Rules()
        rules.add("drop", "out", "mac", ["match": "no", "srcmacaddr": "$MAC", "comment": mark])

        rules.add("accept", "out", "arp", ["arpsrcmacaddr": "$MAC", "arpsrcipaddr": "$IP"])
        rules.add("drop", "out", "arp", [:])

        addIPv4(&rules)
        addIPv6(&rules)

        // Whatever is neither ARP nor IP (VLAN tags, other protocols) stays within the VM.
        rules.add("drop", "out", "all", nil)
        return XMLElement(
            "filter", ["name": name, "chain": "root"],
            [uuid.map { XMLElement("uuid", text: $0) }] + rules.elements)
    }

    private func addIPv4(_ rules: inout Rules) {
        rules.add(
            "accept", "out", "ip",
            [
                "srcipaddr": "0.0.0.0", "dstipaddr": "255.255.255.255", "protocol": "udp", "srcportstart": "68",
                "dstportstart": "67",
            ])
        rules.add("drop", "out", "ip", ["match": "no", "srcipaddr": "$IP"])
        rules.add("drop", "out", "ip", ["protocol": "udp", "srcportstart": "67"])
        // What goes to everybody goes to the devhost too, past the rules for its own addresses: multicast, what is
        // reserved and the broadcast to all (224.0.0.0 and above), and the broadcasts of its networks.
        rules.add("drop", "out", "ip", ["dstipaddr": "224.0.0.0", "dstipmask": "3"])
        for address in broadcast { rules.add("drop", "out", "ip", ["dstipaddr": address.description]) }
        rules.add("accept", "out", "ip", ["protocol": "icmp"])
        addServices(&rules, "ip", services + [Service(transport: "udp", ports: 67...67)])
        for address in hostIPv4 { rules.add("drop", "out", "ip", ["dstipaddr": address.description]) }
        rules.add("accept", "out", "ip", [:])
    }

    private func addIPv6(_ rules: inout Rules) {
        // 134 advertises a router, which only the devhost does. Nobody takes redirects but from the router's own address.
        rules.add("drop", "out", "ipv6", ["protocol": "icmpv6", "type": "134"])
        // By its link-local address a VM finds neighbours and routers, which is ICMP to groups (RFC 4861), and answers
        // pings. Duplicate address detection, which speaks from no address, finds nobody: no two VMs have one address.
        rules.add("accept", "out", "ipv6", ["srcipaddr": "$LINKLOCAL", "protocol": "icmpv6"])
        // dnsmasq's router advertisements name its link-local address as the name server.
        for transport in ["udp", "tcp"] {
            rules.add(
                "accept", "out", "ipv6",
                [
                    "srcipaddr": "$LINKLOCAL", "dstipaddr": "fe80::", "dstipmask": "10", "protocol": transport,
                    "dstportstart": "53",
                ])
        }
        rules.add("drop", "out", "ipv6", ["match": "no", "srcipaddr": "$IPV6"])
        rules.add("accept", "out", "ipv6", ["protocol": "icmpv6"])
        rules.add("drop", "out", "ipv6", ["dstipaddr": "ff00::", "dstipmask": "8"])
        addServices(&rules, "ipv6", services)
        for address in hostIPv6 { rules.add("drop", "out", "ipv6", ["dstipaddr": address.description]) }
        rules.add("accept", "out", "ipv6", [:])
        rules.add("drop", "in", "ipv6", ["match": "no", "srcmacaddr": gatewayMAC.description])
    }

    /// Lets through what may go to any address.
    private func addServices(_ rules: inout Rules, _ layer: String, _ services: [Service]) {
        for service in services + [Service(transport: "tcp", ports: ephemeralPorts)] {
            rules.add(
                "accept", "out", layer,
                [
                    "protocol": service.transport, "dstportstart": "\(service.ports.lowerBound)",
                    "dstportend": "\(service.ports.upperBound)",
                ])
        }
    }

    /// Collects rules with rising priorities: the order they are added in is the order they act in.
    private struct Rules {
        private(set) var elements: [XMLElement?] = []
        private var priority = -900

        mutating func add(
            _ action: String, _ direction: String, _ layer: String, _ match: KeyValuePairs<String, String?>?
        ) {
            let condition = match.map { XMLElement(layer, $0) }
            elements.append(
                XMLElement(
                    "rule", ["action": action, "direction": direction, "priority": "\(priority)"], [condition]))
            priority += 1
        }
    }
}
