import FoundationEssentials

extension Devhost {
    /// The devhost in numbers, in the text format of Prometheus: VMs by state and owner, memory and disk given and used,
    /// when each was last ensured and used, and verbs with their results and durations, from the audit log as it is.
    /// - Throws: `unavailable` when libvirt does not answer; `permissionDenied` for others than root.
    public func metrics() async throws -> String {
        let libvirt = try await self.libvirt()
        let states = try await libvirt.domainStates()
        let vms = try records.all()
        var text = MetricsText()
        addCounts(vms, states, to: &text)
        try await addVMs(vms, states, libvirt, to: &text)
        addVerbs(try auditLog.entries(), to: &text)
        return text.text
    }

    private func addCounts(_ vms: [RecordStore.Entry], _ states: [VMName: DomainState], to text: inout MetricsText) {
        var counts: [[String]: Int] = [:]
        for entry in vms {
            switch entry {
            case .record(let record):
                let state = record.trashed == nil ? (states[record.name] ?? .missing).rawValue : "trashed"
                counts[[state, record.owner ?? "nobody"], default: 0] += 1
            case .broken: counts[["broken", "nobody"], default: 0] += 1
            }
        }
        text.add(
            "devhost_vms", .gauge, "VMs by state and owner.",
            counts.map { key, count in
                .init(labels: [("state", key[0]), ("user", key[1])], value: Double(count))
            })
    }

    private func addVMs(
        _ vms: [RecordStore.Entry], _ states: [VMName: DomainState], _ libvirt: Connection,
        to text: inout MetricsText
    ) async throws {
        var given: (memory: [MetricsText.Sample], disk: [MetricsText.Sample]) = ([], [])
        var used: (memory: [MetricsText.Sample], disk: [MetricsText.Sample]) = ([], [])
        var last: (deploy: [MetricsText.Sample], use: [MetricsText.Sample]) = ([], [])
        for case .record(let record) in vms {
            let labels = [("vm", record.name.description), ("user", record.owner ?? "nobody")]
            func sample(_ value: some BinaryInteger) -> MetricsText.Sample {
                .init(labels: labels, value: Double(value))
            }
            if let memory = record.memory { given.memory.append(sample(UInt64(memory.mebibytes) << 20)) }
            if let disk = record.diskSize { given.disk.append(sample(disk.bytes)) }
            if let date = record.lastDeployDate { last.deploy.append(sample(date.secondsSince1970)) }
            let state = states[record.name]
            if let date = use(of: record, state: state).lastUse { last.use.append(sample(date.secondsSince1970)) }
            // A VM that goes meanwhile uses nothing.
            let parts = VMParts(devhost: self, libvirt: libvirt, name: record.name)
            if let bytes = try? await parts.diskAllocation(record.diskNumber) { used.disk.append(sample(bytes)) }
            if state == .running, let bytes = try? await libvirt.residentMemory(record.name) {
                used.memory.append(sample(bytes))
            }
        }
        text.add("devhost_vm_memory_bytes", .gauge, "Memory that a VM is given while it runs.", given.memory)
        text.add("devhost_vm_memory_used_bytes", .gauge, "Memory of the machine that a VM occupies.", used.memory)
        text.add("devhost_vm_disk_bytes", .gauge, "The size of a VM's disk.", given.disk)
        text.add("devhost_vm_disk_used_bytes", .gauge, "What a VM's disk occupies on the machine.", used.disk)
        text.add("devhost_vm_last_deploy_timestamp_seconds", .gauge, "When a VM was last ensured.", last.deploy)
        text.add(
            "devhost_vm_last_use_timestamp_seconds", .gauge, "When a VM was last used, by any sign of use.", last.use)
    }

    private func addVerbs(_ entries: [AuditLog.Entry], to text: inout MetricsText) {
        var results: [[String]: Int] = [:]
        var durations: [String: (sum: Double, count: Int)] = [:]
        for entry in entries where entry.event == .end {
            results[[entry.verb, entry.result ?? "failed"], default: 0] += 1
            let before = durations[entry.verb] ?? (0, 0)
            durations[entry.verb] = (before.sum + (entry.seconds ?? 0), before.count + 1)
        }
        text.add(
            "devhost_verbs_total", .counter, "Verbs that have ended, by their results.",
            results.map { key, count in .init(labels: [("verb", key[0]), ("result", key[1])], value: Double(count)) })
        text.add(
            "devhost_verb_seconds_sum", .counter, "How long verbs took together.",
            durations.map { .init(labels: [("verb", $0.key)], value: $0.value.sum) })
        text.add(
            "devhost_verb_seconds_count", .counter, "How many verbs that is.",
            durations.map { .init(labels: [("verb", $0.key)], value: Double($0.value.count)) })
    }
}

extension Timestamp {
    /// As Prometheus counts time.
    fileprivate var secondsSince1970: Int64 { Int64(date.timeIntervalSince1970) }
}
