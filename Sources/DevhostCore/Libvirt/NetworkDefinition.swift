/// What libvirt is told about the network of the VMs (https://libvirt.org/formatnetwork.html).
struct NetworkDefinition {
    /// An address that DHCP keeps for a MAC address.
    struct Reservation: Hashable, Sendable {
        let mac: MACAddress
        let ipv4: IPv4Address

        var xml: String { element.rendered }
        fileprivate var element: XMLElement { XMLElement("host", ["mac": mac.description, "ip": ipv4.description]) }
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
    /// The folder whose hosts files its DNS answers from.
    var namesFolder: String
    /// The devhost's own name, which VMs find at the gateway; nil where it has none that can be one.
    var hostName: String?
    /// The name that all published names end in: VMs find whatever ends so at the gateway, without the world's DNS and
    /// the way out and in again.
    var publicAddress: String?

    /// The UUID that tells this definition from another one, so that a network that somebody else defined, or an older
    /// one of ours, is noticed. It knows nothing of the reservations, which change with the records, and nothing of the
    /// devhost's names, for which no VM has to be stopped.
    func uuid() throws -> String {
        let body = body(uuid: nil, [], extras: [dnsmasq([namesOption])])
        return try SHA256Hasher.digest(Array(body.rendered.utf8)).uuid
    }

    func rendered(reservations: [Reservation]) throws -> String {
        body(uuid: try uuid(), reservations, extras: [names, options]).rendered
    }

    private var gateways: [String] { [gateway.description, gatewayV6.description] }

    private var names: XMLElement? {
        hostName.map { name in
            XMLElement(
                "dns", [:],
                gateways.map { XMLElement("host", ["ip": $0], [XMLElement("hostname", text: name)]) })
        }
    }

    /// What libvirt hands on to dnsmasq. It would answer from the machine's hosts file, where a Debian machine stands
    /// for itself at 127.0.1.1, and which is not for guests to read; and it would take the names that guests give
    /// themselves, those of others too.
    private var options: XMLElement {
        let addresses = publicAddress.map { name in gateways.map { "address=/\(name)/\($0)" } } ?? []
        return dnsmasq([namesOption, "no-hosts", "dhcp-ignore-names"] + addresses)
    }

    private var namesOption: String { "hostsdir=\(namesFolder)" }

    private func dnsmasq(_ options: [String]) -> XMLElement {
        XMLElement("dnsmasq:options", [:], options.map { XMLElement("dnsmasq:option", ["value": $0]) })
    }

    private func body(uuid: String?, _ reservations: [Reservation], extras: [XMLElement?]) -> XMLElement {
        let ports = XMLElement("nat", ["ipv6": "yes"], [XMLElement("port", ["start": "1024", "end": "65535"])])
        return XMLElement(
            "network",
            ["xmlns:dnsmasq": "http://libvirt.org/schemas/network/dnsmasq/1.0"],
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
            ] + extras)
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
