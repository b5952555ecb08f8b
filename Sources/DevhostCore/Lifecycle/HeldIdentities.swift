/// The ids and addresses that VMs hold, those included whose records cannot be read.
struct HeldIdentities: Sendable {
    /// All records, with what is known of those that cannot be read.
    let records: [VMRecord]
    /// The addresses that names of VMs resolve to, also of VMs whose record is lost.
    let addresses: Set<IPv4Address>
    /// The MAC addresses of domains whose records do not tell them.
    let macs: Set<MACAddress>
    /// VMs of which nothing tells which id they hold.
    let unknown: [VMName]

    init(devhost: Devhost, libvirt: Connection) async throws {
        let broken = try devhost.records.salvaged()
        records = try devhost.records.readable() + broken
        var addresses: [VMName: Set<IPv4Address>] = [:]
        for (text, found) in try devhost.hostsFile.entries() {
            guard let name = try? VMName(text) else { continue }
            addresses[name, default: []].formUnion(found.compactMap { try? IPv4Address($0) })
        }
        var macs: Set<MACAddress> = []
        var unknown: [VMName] = []
        for record in broken where record.id == nil && record.mac == nil {
            let found = try await libvirt.macAddresses(of: record.name)
            macs.formUnion(found)
            if found.isEmpty, record.ipv4 == nil, addresses[record.name]?.isEmpty != false {
                unknown.append(record.name)
            }
        }
        self.addresses = addresses.values.reduce(into: []) { $0.formUnion($1) }
        self.macs = macs
        self.unknown = unknown
    }

    /// What is held, by records that are given.
    init(records: [VMRecord], unknown: [VMName] = []) {
        self.records = records
        self.unknown = unknown
        addresses = []
        macs = []
    }
}
