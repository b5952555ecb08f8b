/// What libvirt is told about the network of the VMs (https://libvirt.org/formatnetwork.html).
struct NetworkDefinition {
    /// An address that DHCP keeps for a MAC address.
    struct Reservation: Hashable, Sendable {
        let mac: MACAddress
        let ipv4: IPv4Address

        var xml: String { element.rendered }
        fileprivate var element: XMLElement { XMLElement("host", ["mac": mac.description, "ip": ipv4.description]) }
    }

    /// A name that the network's DNS answers.
    struct HostName: Hashable, Sendable {
        let name: VMName?
        let address: String

        var xml: String {
            XMLElement("host", ["ip": address], [name.map { XMLElement("hostname", text: $0.description) }]).rendered
        }
    }

    var name: String
    var bridge: String
    var domain: String
    var gatewayMAC: MACAddress
    var gateway: IPv4Address
    var prefixLength: Int
    var dynamicRange: ClosedRange<IPv4Address>
    /// Where the reservations lie. It is named as a range too because libvirt lets dnsmasq have no more leases than all
    /// ranges have addresses; as every address in it is reserved, dnsmasq gives none of them to anybody else.
    var reservedRange: ClosedRange<IPv4Address>
    var gatewayV6: IPv6Address

    /// The UUID that tells this definition from another one, so that a network that somebody else defined, or an older
    /// one of ours, is noticed. It knows nothing of the reservations: they change with the records.
    func uuid() throws -> String { try SHA256Hasher.digest(Array(body(uuid: nil, []).rendered.utf8)).uuid }

    func rendered(reservations: [Reservation]) throws -> String { body(uuid: try uuid(), reservations).rendered }

    private func body(uuid: String?, _ reservations: [Reservation]) -> XMLElement {
        let ports = XMLElement("nat", ["ipv6": "yes"], [XMLElement("port", ["start": "1024", "end": "65535"])])
        return XMLElement(
            "network", [:],
            [
                XMLElement("name", text: name),
                uuid.map { XMLElement("uuid", text: $0) },
                XMLElement("forward", ["mode": "nat"], [ports]),
                // With the spanning tree on, the kernel holds back every new port for seconds.
                XMLElement("bridge", ["name": bridge, "stp": "off", "delay": "0"]),
                XMLElement("mac", ["address": gatewayMAC.description]),
                XMLElement("domain", ["name": domain, "localOnly": "yes"]),
                XMLElement(
                    "ip", ["address": gateway.description, "prefix": "\(prefixLength)"],
                    [
                        XMLElement(
                            "dhcp", [:],
                            [dynamicRange, reservedRange].map {
                                XMLElement(
                                    "range", ["start": $0.lowerBound.description, "end": $0.upperBound.description])
                            } + reservations.map(\.element))
                    ]),
                XMLElement("ip", ["family": "ipv6", "address": gatewayV6.description, "prefix": "64"]),
            ])
    }
}

extension SHA256Digest {
    /// The first 16 bytes as a UUID of version 8 (RFC 9562: a layout of one's own).
    var uuid: String {
        var digits = Array(description.prefix(32))
        digits[12] = "8"
        digits[16] = "8"
        let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
        return groups.map { String(digits[$0]) }.joined(separator: "-")
    }
}
