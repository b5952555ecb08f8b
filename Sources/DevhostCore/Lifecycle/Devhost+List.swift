extension Devhost {
    /// The names of all VMs, sorted, without a look at anything else in their records. Names that are held for VMs in the
    /// trash are among them: they are taken.
    /// - Parameter owner: Only the VMs of this user.
    public func headings(owner: String? = nil) throws -> [VMHeading] {
        try records.headings().filter { owner == nil || $0.owner == owner }
    }

    /// The records of all VMs, sorted by name. Asks nobody's lock and not libvirt.
    /// - Parameter owner: Only the VMs of this user, those included whose damaged records still name them.
    public func list(owner: String? = nil) throws -> [VMSummary] { try summaries(owner: owner, states: nil) }

    /// Like ``list(owner:)``, with what each VM is right now.
    /// - Throws: `unavailable` when libvirt does not answer.
    public func listWithStates(owner: String? = nil) async throws -> [VMSummary] {
        let states = try await libvirt().domainStates()
        return try summaries(owner: owner, states: states)
    }

    private func summaries(owner: String?, states: [VMName: DomainState]?) throws -> [VMSummary] {
        try records.all().compactMap { entry in
            switch entry {
            case .record(let record):
                if let owner, record.owner != owner { return nil }
                let state = states.map { $0[record.name] ?? .missing }
                var summary = VMSummary(
                    name: record.name.description, state: state, owner: record.owner,
                    creationDate: record.creationDate, lastDeployDate: record.lastDeployDate, record: record,
                    problem: nil)
                // Without states only what is on record is asked for.
                guard state != nil else { return summary }
                let use = use(of: record, state: state)
                summary.lastUse = use.lastUse
                summary.next = use.next.first
                summary.pin = use.pin
                return summary
            case .broken(let name, let reason):
                let known = (try? VMName(name)).map { records.salvaged($0) }
                if let owner, known?.owner != owner { return nil }
                return VMSummary(
                    name: name, state: nil, owner: known?.owner, creationDate: nil, lastDeployDate: nil, record: nil,
                    problem: reason.description)
            }
        }
    }

    /// The VMs in the trash, sorted by name, with what becomes of them.
    /// - Parameter owner: Only the VMs of this user.
    public func trash(owner: String? = nil) throws -> [VMSummary] {
        try summaries(owner: owner, states: [:]).filter { $0.record?.trashed != nil }
    }

    /// Everything about one VM. libvirt not answering leaves what only it knows empty.
    /// - Throws: `notFound`, `damaged`.
    public func describe(_ name: VMName) async throws -> VMDescription {
        let record = try records.require(name)
        guard let libvirt = try? await self.libvirt() else {
            return VMDescription(record: record, state: nil, diskAllocation: nil)
        }
        let parts = VMParts(devhost: self, libvirt: libvirt, name: name)
        return VMDescription(
            record: record, state: try await libvirt.domainState(name),
            diskAllocation: try? await parts.diskAllocation(record.diskNumber))
    }
}
