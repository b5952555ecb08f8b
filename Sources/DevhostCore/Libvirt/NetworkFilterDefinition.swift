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
    /// The addresses that stand for everybody in a network of the devhost's.
    var broadcast: [IPv4Address]
    var ephemeralPorts: ClosedRange<Int>
    /// What VMs may reach on the devhost, beside DHCP and answers.
    var services: [Service]

    /// The digest of the rules, which stands in the filter as the comment of its first rule: libvirt keeps a filter's
    /// UUID for life and writes its XML anew, so neither tells whether the rules are these.
    func digest() throws -> SHA256Digest { try SHA256Hasher.digest(Array(body(uuid: nil, mark: "").rendered.utf8)) }

    /// The filter, under the UUID that it has already where it exists.
    func rendered(uuid: String?) throws -> String { body(uuid: uuid, mark: try digest().description).rendered }

    private func body(uuid: String?, mark: String) -> XMLElement {
        var rules = Rules()
        rules.add("drop", "out", "mac", ["match": "no", "srcmacaddr": "$MAC", "comment": mark])

        rules.add("accept", "out", "arp", ["arpsrcmacaddr": "$MAC", "arpsrcipaddr": "$IP"])
        rules.add("accept", "out", "arp", ["arpsrcmacaddr": "$MAC", "arpsrcipaddr": "0.0.0.0"])
        rules.add("drop", "out", "arp", [:])

        rules.add(
            "accept", "out", "ip",
            [
                "srcipaddr": "0.0.0.0", "dstipaddr": "255.255.255.255", "protocol": "udp", "srcportstart": "68",
                "dstportstart": "67",
            ])
        rules.add("drop", "out", "ip", ["match": "no", "srcipaddr": "$IP"])
        rules.add("drop", "out", "ip", ["protocol": "udp", "srcportstart": "67"])
        for address in hostIPv4 { addServices(&rules, "ip", to: address.description, icmp: "icmp", dhcp: 67) }
        // What goes to everybody goes to the devhost too, past the rules for its own addresses.
        for address in broadcast { rules.add("drop", "out", "ip", ["dstipaddr": address.description]) }
        rules.add("drop", "out", "ip", ["dstipaddr": "224.0.0.0", "dstipmask": "4"])

        addIPv6(&rules)

        // Whatever is neither ARP nor IP (VLAN tags, other protocols) stays within the VM.
        rules.add("accept", "out", "ip", [:])
        rules.add("accept", "out", "ipv6", [:])
        rules.add("drop", "out", "all", nil)
        return XMLElement(
            "filter", ["name": name, "chain": "root"],
            [uuid.map { XMLElement("uuid", text: $0) }] + rules.elements)
    }

    private func addIPv6(_ rules: inout Rules) {
        // Duplicate address detection speaks from no address (RFC 4862).
        rules.add(
            "accept", "out", "ipv6", ["srcipaddr": "::", "srcipmask": "128", "protocol": "icmpv6", "type": "135"])
        rules.add(
            "accept", "out", "ipv6", ["srcipaddr": "::", "srcipmask": "128", "protocol": "icmpv6", "type": "143"])
        // 134 advertises a router, 137 redirects: only the devhost does either.
        rules.add("drop", "out", "ipv6", ["protocol": "icmpv6", "type": "134"])
        rules.add("drop", "out", "ipv6", ["protocol": "icmpv6", "type": "137"])
        rules.add("drop", "out", "ipv6", ["protocol": "udp", "srcportstart": "547"])
        for source in ["$LINKLOCAL", "$IPV6"] {
            for address in hostIPv6 {
                addServices(&rules, "ipv6", to: address.description, from: source, icmp: "icmpv6", dhcp: 547)
            }
            // Finding neighbours and routers is ICMP to groups (RFC 4861); nothing else goes to everybody.
            rules.add(
                "accept", "out", "ipv6",
                ["srcipaddr": source, "dstipaddr": "ff00::", "dstipmask": "8", "protocol": "icmpv6"])
            rules.add("drop", "out", "ipv6", ["srcipaddr": source, "dstipaddr": "ff00::", "dstipmask": "8"])
            rules.add("accept", "out", "ipv6", ["srcipaddr": source])
        }
        rules.add("drop", "out", "ipv6", [:])
        rules.add("drop", "in", "ipv6", ["match": "no", "srcmacaddr": gatewayMAC.description])
    }

    private func addServices(
        _ rules: inout Rules, _ layer: String, to address: String, from source: String? = nil, icmp: String, dhcp: Int
    ) {
        let open =
            services + [
                Service(transport: "udp", ports: dhcp...dhcp), Service(transport: "tcp", ports: ephemeralPorts),
            ]
        for service in open {
            rules.add(
                "accept", "out", layer,
                [
                    "srcipaddr": source, "dstipaddr": address, "protocol": service.transport,
                    "dstportstart": "\(service.ports.lowerBound)", "dstportend": "\(service.ports.upperBound)",
                ])
        }
        rules.add("accept", "out", layer, ["srcipaddr": source, "dstipaddr": address, "protocol": icmp])
        rules.add("drop", "out", layer, ["srcipaddr": source, "dstipaddr": address])
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
