/// Everything that a devhost says of its VMs at one moment, each source asked once.
struct DoctorSurvey: Sendable {
    let records: [VMName: VMRecord]
    /// Files that should be records, by the names that they bear.
    let broken: [(name: String, reason: DevhostError)]
    let domains: [VMName: Connection.DomainOverview]
    let disks: Set<String>
    let firstBoot: Set<String>
    /// The VMs that have a folder in the state folder.
    let folders: Set<VMName>
    /// What the network keeps for whom; nil where there is none.
    let network: NetworkReservations?
    /// The names that the network's DNS answers, with their addresses.
    let dns: [String: Set<String>]
    /// The names in our block of the hosts file, with their addresses.
    let hosts: [String: Set<String>]
    /// VMs that another command was working on: what they look like means nothing.
    private let busy: Set<VMName>

    init(devhost: Devhost, libvirt: Connection) async throws {
        let layout = devhost.layout
        let settings = devhost.configuration.network
        let before = try Self.busy(layout)
        var records: [VMName: VMRecord] = [:]
        var broken: [(String, DevhostError)] = []
        for entry in try devhost.records.all() {
            switch entry {
            case .record(let record): records[record.name] = record
            case .broken(let name, let reason): broken.append((name, reason))
            }
        }
        self.records = records
        self.broken = broken
        domains = try await libvirt.domainOverviews(namespace: DomainDefinition.namespace)
        func volumes(_ pool: String) async throws -> Set<String> {
            try await libvirt.isPoolActive(pool) ? Set(try await libvirt.volumeNames(pool: pool)) : []
        }
        disks = try await volumes(HostPreparation.diskPool(settings))
        firstBoot = try await volumes(HostPreparation.firstBootPool(settings))
        folders = Set(
            try Files.names(in: layout.state).filter {
                !$0.hasPrefix("_") && Files.isDirectory("\(layout.state)/\($0)")
            }
            .compactMap { try? VMName($0) })
        network =
            try await libvirt.networkStatus(settings.name) == nil
            ? nil : NetworkReservations(xml: try await libvirt.networkXML(settings.name))
        dns = try devhost.dnsFolder.entries()
        hosts = try devhost.hostsFile.entries()
        busy = before.union(try Self.busy(layout))
    }

    /// Whether nobody was working on a VM while it was looked at.
    func isQuiet(_ name: VMName) -> Bool { !busy.contains(name) }

    private static func busy(_ layout: Layout) throws -> Set<VMName> {
        Set(
            try Files.names(in: layout.locks).compactMap { file in
                guard file.hasSuffix(".lock"), FileLock.isHeld("\(layout.locks)/\(file)") else { return nil }
                return try? VMName(String(file.dropLast(5)))
            })
    }
}
