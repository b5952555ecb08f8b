/// What the doctor looks at in the network of the VMs and in how names resolve.
struct NetworkChecks: Sendable {
    let devhost: Devhost
    let libvirt: Connection
    let survey: DoctorSurvey

    private var settings: Configuration.Network { devhost.configuration.network }

    func network() async throws -> [Symptom] {
        let preparation = HostPreparation(devhost: devhost, libvirt: libvirt)
        let problems = try await preparation.problems()
        let isNew = survey.records.isEmpty
        return problems.map { problem -> Symptom in
            guard !problem.isConflict else {
                let byHand = "virsh net-destroy \(settings.name), virsh net-undefine \(settings.name)"
                return Symptom(
                    .error, problem.subject, problem.text, because: "VMs cannot be started",
                    remedy: "stop all VMs, \(byHand), then fc-devhost doctor --fix")
            }
            return Symptom(
                isNew ? .note : .error, problem.subject, problem.text,
                because: isNew ? "the first ensure makes it" : "VMs cannot be started, or reach nothing",
                remedy: "fc-devhost doctor --fix", mend: { try await preparation.prepare() })
        }
    }

    /// `ssh -J devhost developer@vm` works because the devhost itself knows the names of VMs.
    func resolution() throws -> [Symptom] {
        guard libvirt.driver == .qemu, devhost.layout.hostsFile == Layout().hostsFile,
            let record = survey.records.values.filter({ isNamed($0) }).min(by: { $0.name < $1.name }),
            let ipv4 = record.ipv4
        else { return [] }
        let found = HostName.addresses(of: record.name.description)
        guard !found.contains(ipv4.description) else { return [] }
        return [
            Symptom(
                .error, "name resolution",
                "\(record.name) resolves to \(found.isEmpty ? "nothing" : found.joined(separator: ", ")), not to \(ipv4)",
                because: "ssh -J through the devhost finds no VM",
                remedy: "put 'files' first in the line 'hosts:' of /etc/nsswitch.conf")
        ]
    }

    private func isNamed(_ record: VMRecord) -> Bool {
        survey.isQuiet(record.name) && survey.hosts[record.name.description] != nil
    }
}
