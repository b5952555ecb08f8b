/// What the doctor looks at in each VM: every disagreement between its record and what there is.
struct VMChecks: Sendable {
    let devhost: Devhost
    let libvirt: Connection
    let survey: DoctorSurvey

    private var layout: Layout { devhost.layout }

    /// Runs a mending under the lock of a VM, with its record as it is then: the VM may have changed, or gone, since it
    /// was looked at.
    private func locked(
        _ name: VMName, _ body: @escaping @Sendable (VMParts, VMRecord?) async throws -> Void
    ) -> @Sendable () async throws -> Void {
        { [self] in
            let lock = try await devhost.lock(name, verb: "doctor", progress: { _ in })
            defer { withExtendedLifetime(lock) {} }
            let record = try devhost.records.find(name)
            try await body(VMParts(devhost: devhost, libvirt: libvirt, name: name), record)
        }
    }

    // MARK: Records by themselves

    func records() -> [Symptom] {
        var symptoms = survey.broken.map { name, reason in
            let owner = (try? VMName(name)).flatMap { devhost.records.salvaged($0).owner }
            return Symptom(
                .error, "record \(name)", reason.description,
                because: "the VM cannot be changed or started; it still counts for "
                    + (owner ?? "nobody, because its owner cannot be told"),
                remedy: "mend \(layout.records)/\(name).json, or fc-devhost destroy \(name)")
        }
        let records = survey.records.values.sorted { $0.name < $1.name }
        symptoms += Self.shared(records, "id") { $0.id?.description }
        symptoms += Self.shared(records, "MAC address") { $0.mac?.description }
        symptoms += Self.shared(records, "IPv4 address") { $0.ipv4?.description }
        for record in records {
            let size = (try? Files.size(layout.record(record.name))) ?? 0
            guard size > UInt64(RecordStore.largest) else { continue }
            symptoms.append(
                Symptom(
                    .warning, "record \(record.name)",
                    "it has \(size) bytes, where no more than \(RecordStore.largest) are written today",
                    because: "versions before cannot read it, and do not count its VM",
                    remedy: "fc-devhost ensure it with fewer --authorized-key or --aliases"))
        }
        for record in records where record.owner == nil {
            let isForAdministrators = devhost.configuration.destroyAccess == .owner
            symptoms.append(
                Symptom(
                    isForAdministrators ? .warning : .note, "VM \(record.name)", "it has no owner on record",
                    because: "nobody is told before clean-up takes it, and it counts against nobody's limits"
                        + (isForAdministrators ? "; none but administrators may destroy it" : ""),
                    remedy: "as root, write \"user\": \"NAME\" into \(layout.record(record.name))"))
        }
        for record in records {
            guard let ipv4 = record.ipv4, !devhost.configuration.network.ipv4.contains(ipv4) else { continue }
            symptoms.append(
                Symptom(
                    .error, "VM \(record.name)",
                    "its address \(ipv4) is not in the network \(devhost.configuration.network.ipv4)",
                    because: "nobody can reach it", remedy: "fc-devhost destroy \(record.name), then ensure it again"))
        }
        return symptoms
    }

    private static func shared(_ records: [VMRecord], _ what: String, _ value: (VMRecord) -> String?) -> [Symptom] {
        var holders: [String: [VMName]] = [:]
        for record in records { if let value = value(record) { holders[value, default: []].append(record.name) } }
        return holders.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }.map { value, names in
            let list = names.map(\.description).joined(separator: ", ")
            return Symptom(
                .error, "VMs \(list)", "they share the \(what) \(value)",
                because: "only one of them can be reached, and it is not always the same one",
                remedy: "fc-devhost destroy all but one of them")
        }
    }

    // MARK: VMs with a record

    func parts() throws -> [Symptom] {
        try survey.records.values.sorted { $0.name < $1.name }.filter { survey.isQuiet($0.name) }.flatMap(symptoms)
    }

    private func symptoms(_ record: VMRecord) throws -> [Symptom] {
        let name = record.name
        let subject = "VM \(name)"
        if record.trashed != nil { return trash(record, subject) }
        if record.isIncomplete {
            return [
                Symptom(
                    .warning, subject, "its creation was cut off", because: "it is half made",
                    remedy: (record.cloneOf.map { "fc-devhost clone \($0) \(name)" } ?? "fc-devhost ensure \(name)")
                        + ", or fc-devhost destroy \(name)")
            ]
        }
        guard let domain = survey.domains[name] else {
            return [
                Symptom(
                    .error, subject, "libvirt has no such domain", because: "it cannot run",
                    remedy: "fc-devhost ensure \(name)")
            ]
        }
        guard domain.isOurs else {
            return [
                Symptom(
                    .error, subject, "libvirt's domain of this name was made by somebody else",
                    because: "fc-devhost does not touch what it did not make",
                    remedy: "virsh domrename \(name) to something else, then fc-devhost ensure \(name)")
            ]
        }
        return files(record, subject) + power(record, domain, subject) + names(record, domain, subject)
    }

    private func files(_ record: VMRecord, _ subject: String) -> [Symptom] {
        let name = record.name
        var symptoms: [Symptom] = []
        let disk = layout.diskVolume(name, record.diskNumber)
        if !survey.disks.contains(disk) {
            symptoms.append(
                Symptom(
                    .error, subject, "its disk \(layout.disks)/\(disk) is missing", because: "it cannot start",
                    remedy: "bring the file back, or fc-devhost rebuild \(name) for a fresh one"))
        }
        if record.otherDisk != nil {
            symptoms.append(
                Symptom(
                    .warning, subject, "a rebuild of it was cut off",
                    because: "it has two disks, of which one is to go",
                    remedy: "fc-devhost ensure \(name) for the old one, or fc-devhost rebuild \(name) again"))
        }
        if !survey.firstBoot.contains(layout.firstBootVolume(name)) {
            symptoms.append(
                Symptom(
                    .error, subject, "its first-boot data are missing", because: "QEMU does not start without them",
                    remedy: "fc-devhost ensure \(name)"))
        }
        if !Files.exists(layout.hostKey(name)) {
            symptoms.append(
                Symptom(
                    .warning, subject, "the devhost has lost its ssh host key",
                    because: "a rebuild gives it another one, and every client raises an alarm",
                    remedy: "copy it from the VM to \(layout.hostKey(name))"))
        }
        return symptoms
    }

    /// A VM in the trash: what it needs to be had back is there, and nobody reaches it.
    private func trash(_ record: VMRecord, _ subject: String) -> [Symptom] {
        let name = record.name
        var symptoms: [Symptom] = []
        let disk = layout.diskVolume(name, record.diskNumber)
        if !survey.disks.contains(disk) {
            symptoms.append(
                Symptom(
                    .error, subject, "it is in the trash, and its disk \(layout.disks)/\(disk) is missing",
                    because: "it cannot be had back", remedy: "bring the file back, or fc-devhost destroy \(name)"))
        }
        let domain = survey.domains[name]
        let isKnown =
            survey.hosts[name.description] != nil || survey.dns[name.description] != nil
        if domain?.state.isActive == true || domain?.isAutostarted == true || isKnown {
            symptoms.append(
                Symptom(
                    .warning, subject, "it is in the trash, and can still be used",
                    because: "its move there was cut off, or somebody started it by other means",
                    remedy: "fc-devhost doctor --fix, or fc-devhost undelete \(name)",
                    mend: { [devhost] in
                        _ = try await devhost.moveToTrash(
                            name, where: { $0.trashed != nil }, progress: { _ in })
                    }))
        }
        return symptoms
    }

    private func power(_ record: VMRecord, _ domain: Connection.DomainOverview, _ subject: String) -> [Symptom] {
        let name = record.name
        var symptoms: [Symptom] = []
        switch (record.isOnline, domain.state) {
        case (_, .crashed), (_, .paused):
            symptoms.append(
                Symptom(
                    .error, subject, "it is \(domain.state.rawValue)", because: "nobody can work in it",
                    remedy: "fc-devhost logs \(name), then fc-devhost ensure \(name)"))
        case (true?, .off):
            symptoms.append(
                Symptom(
                    .warning, subject, "it is off, and nobody shut it down here",
                    because: "it was shut down from within, or it crashed", remedy: "fc-devhost start \(name)"))
        case (true?, .suspended):
            symptoms.append(
                Symptom(
                    .warning, subject, "it is suspended, and nobody suspended it here",
                    because: "somebody did by other means", remedy: "fc-devhost start \(name)"))
        case (false?, .running):
            symptoms.append(
                Symptom(
                    .warning, subject, "it runs although it was shut down",
                    because: "somebody started it by other means",
                    remedy: "fc-devhost shutdown \(name), or fc-devhost ensure \(name)"))
        default: break
        }
        if let isOnline = record.isOnline, domain.isAutostarted != isOnline {
            symptoms.append(
                Symptom(
                    .warning, subject, isOnline ? "it does not start with the host" : "it starts with the host",
                    because: isOnline
                        ? "it stays off after a reboot" : "it was shut down, and comes back after a reboot",
                    remedy: "fc-devhost doctor --fix",
                    mend: locked(name) { parts, record in
                        guard let isOnline = record?.isOnline else { return }
                        try await parts.libvirt.setAutostart(name, isOnline)
                    }))
        }
        return symptoms
    }

    private func names(_ record: VMRecord, _ domain: Connection.DomainOverview, _ subject: String) -> [Symptom] {
        let name = record.name
        guard let ipv4 = record.ipv4, let network = survey.network else { return [] }
        var symptoms: [Symptom] = []
        let addresses = Set([ipv4.description] + (record.ipv6.map { [$0.description] } ?? []))
        let places = [
            ("on the devhost", survey.hosts[name.description] ?? [], "ssh -J through the devhost does not find it"),
            ("in the network", survey.dns[name.description] ?? [], "other VMs do not find it"),
        ]
        for (place, found, reason) in places where found != addresses {
            symptoms.append(
                Symptom(
                    .warning, subject,
                    found.isEmpty
                        ? "its name is not known \(place)"
                        : "its name stands for \(found.sorted().joined(separator: ", ")) \(place)",
                    because: reason, remedy: "fc-devhost doctor --fix",
                    mend: locked(name) { parts, record in
                        guard let record, let ipv4 = record.ipv4 else { return }
                        try await parts.publishNames(ipv4: ipv4, ipv6: record.ipv6)
                    }))
        }
        if let own = devhost.plan.reservation(of: record),
            network.addresses[own.mac.description] != own.ipv4.description
        {
            symptoms.append(
                Symptom(
                    .error, subject, "the network does not keep the address \(ipv4) for it",
                    because: "it gets another address at its next start", remedy: "fc-devhost doctor --fix",
                    mend: locked(name) { parts, record in
                        if let record { try await parts.reserveAddresses(of: record) }
                    }))
        }
        return symptoms
    }

    // MARK: What belongs to no VM

    func orphans() throws -> [Symptom] {
        let known = Set(survey.records.keys).union(survey.broken.compactMap { try? VMName($0.name) })
        func isOrphan(_ name: VMName) -> Bool { !known.contains(name) && survey.isQuiet(name) }
        var remains: [VMName: [String]] = [:]
        for (name, domain) in survey.domains where domain.isOurs && isOrphan(name) {
            remains[name, default: []].append("a domain that is \(domain.state.rawValue)")
        }
        for disk in survey.disks {
            guard let name = layout.owner(ofDiskVolume: disk), isOrphan(name) else { continue }
            remains[name, default: []].append("the disk \(layout.disks)/\(disk)")
        }
        for name in survey.folders where isOrphan(name) {
            remains[name, default: []].append("the folder \(layout.folder(name))")
        }
        var symptoms = remains.sorted { $0.key < $1.key }.map { name, what in
            Symptom(
                .warning, "VM \(name)", "there is no record, but \(what.sorted().joined(separator: " and "))",
                because: "no list shows it, and it takes up room", remedy: "fc-devhost destroy \(name)")
        }
        for volume in survey.firstBoot.sorted() where volume.hasSuffix(".conf") {
            guard let name = try? VMName(String(volume.dropLast(5))), isOrphan(name), remains[name] == nil else {
                continue
            }
            symptoms.append(
                Symptom(
                    .warning, "VM \(name)", "there is no such VM, but its first-boot data",
                    because: "they hold an ssh host key", remedy: "fc-devhost destroy \(name)",
                    mend: { [devhost] in
                        try devhost.checkMay(.destroy, name, nil)
                        // Such a VM may have been made since it was looked for.
                        _ = try await devhost.destroy(
                            name, where: { try devhost.records.find(name) == nil }, progress: { _ in })
                    }))
        }
        let names = Set(survey.hosts.keys).union(survey.dns.keys)
        for text in names.sorted() {
            guard let name = try? VMName(text), isOrphan(name), remains[name] == nil else { continue }
            symptoms.append(
                Symptom(
                    .warning, "name \(name)", "it still resolves, and no VM bears it",
                    because: "whoever uses it waits for an answer in vain", remedy: "fc-devhost doctor --fix",
                    mend: locked(name) { parts, record in
                        if record == nil { try await parts.withdrawNames() }
                    }))
        }
        return symptoms
    }
}
