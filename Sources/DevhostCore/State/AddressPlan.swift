/// The fixed mapping from a VM's id to its MAC and IP addresses. All of it is reserved once in the network, so that a
/// new VM needs no change there: adding one reservation to a running network takes libvirt about a second.
struct AddressPlan: Sendable {
    let network: Configuration.Network

    /// How many VMs the devhost can have.
    var capacity: UInt32 { network.capacity }
    var identifiers: ClosedRange<VMIdentifier> { VMIdentifier(1)...VMIdentifier(capacity) }

    /// The gateway's MAC address ends where no id reaches.
    static let gatewayMAC = MACAddress(bits: 0x0203_ffff_fffe)
    var gateway: IPv4Address { network.ipv4.address.advanced(by: 1) }
    var gatewayV6: IPv6Address { network.ipv6.address(1) }

    /// Addresses for machines without a record: x.y.250.10 to x.y.254.254.
    var dynamicRange: ClosedRange<IPv4Address> {
        network.ipv4.address.advanced(by: 250 << 8 | 10)...network.ipv4.address.advanced(by: 254 << 8 | 254)
    }

    /// The addresses of the mapping.
    var reservedRange: ClosedRange<IPv4Address> {
        ipv4(identifiers.lowerBound)...ipv4(identifiers.upperBound)
    }

    func mac(_ id: VMIdentifier) -> MACAddress { MACAddress(id: id) }
    func ipv4(_ id: VMIdentifier) -> IPv4Address { gateway.advanced(by: id.value) }
    func ipv6(_ mac: MACAddress) -> IPv6Address { IPv6Address(network: network.ipv6.bits, mac: mac) }

    /// What the network reserves: the mapping, with the addresses of records that differ from it put in place of it.
    func reservations(records: [VMRecord]) -> [NetworkDefinition.Reservation] {
        let own = records.compactMap { reservation(of: $0) }.filter { !isPlanned($0) }
        let macs = Set(own.map(\.mac))
        let addresses = Set(own.map(\.ipv4))
        let planned = (1...capacity).map { number in
            let id = VMIdentifier(number)
            return NetworkDefinition.Reservation(mac: mac(id), ipv4: ipv4(id))
        }
        return planned.filter { !macs.contains($0.mac) && !addresses.contains($0.ipv4) } + own
    }

    /// The addresses that a record holds; nil where it holds none.
    func reservation(of record: VMRecord) -> NetworkDefinition.Reservation? {
        guard let mac = record.mac, let ipv4 = record.ipv4 else { return nil }
        return NetworkDefinition.Reservation(mac: mac, ipv4: ipv4)
    }

    /// The pairs of the mapping that a reservation displaces: the ones with its MAC address and with its IPv4 address.
    func planned(displacedBy own: NetworkDefinition.Reservation) -> [NetworkDefinition.Reservation] {
        let numbers: Set = [UInt32(truncatingIfNeeded: own.mac.bits), own.ipv4.bits &- gateway.bits]
        return numbers.sorted().map(VMIdentifier.init).filter(identifiers.contains)
            .map { NetworkDefinition.Reservation(mac: mac($0), ipv4: ipv4($0)) }
            .filter { $0.mac == own.mac || $0.ipv4 == own.ipv4 }
    }

    /// Whether a pair of addresses is what the mapping says.
    func isPlanned(_ reservation: NetworkDefinition.Reservation) -> Bool {
        let number = UInt32(truncatingIfNeeded: reservation.mac.bits)
        let id = VMIdentifier(number)
        return identifiers.contains(id) && mac(id) == reservation.mac && ipv4(id) == reservation.ipv4
    }
}
