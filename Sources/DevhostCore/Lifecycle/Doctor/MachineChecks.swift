/// What the doctor looks at on the machine itself.
struct MachineChecks: Sendable {
    let devhost: Devhost

    private var layout: Layout { devhost.layout }

    /// Whoever can write these files is root.
    func permissions() -> [Symptom] {
        [Layout.configurationFile, layout.records, layout.state].compactMap { path in
            guard let status = Files.status(path), !status.isProtected else { return nil }
            return Symptom(
                .error, path, "others than root can write to it",
                because: "fc-devhost acts as root on what stands there",
                remedy: "chown root: \(path); chmod go-w \(path)")
        }
    }

    func space() -> [Symptom] {
        guard let (free, total) = try? FreeSpace.status(layout.state) else { return [] }
        let text = "\(ByteText.size(free)) of \(ByteText.size(total)) are free"
        let remedy = "fc-devhost images prune; fc-devhost ls -l, and fc-devhost destroy what nobody needs"
        if free < 1 << 30 {
            return [
                Symptom(
                    .error, layout.state, text, because: "VMs stop when they cannot write any more", remedy: remedy)
            ]
        }
        guard free < 10 << 30 || free < total / 20 else { return [] }
        return [
            Symptom(
                .warning, layout.state, text,
                because: "disks of VMs grow as they are written to, and stop when it is full",
                remedy: remedy)
        ]
    }

    func acceleration(_ libvirt: Connection) async throws -> [Symptom] {
        guard libvirt.driver == .qemu else { return [] }
        let node = try await libvirt.node()
        let accelerators = Accelerators(devhost: devhost, libvirt: libvirt)
        guard try await accelerators.choose(architecture: node.architecture, progress: { _ in }) == .qemu else {
            return []
        }
        return [
            Symptom(
                devhost.configuration.accelerator == .tcg ? .note : .warning, "KVM",
                devhost.configuration.accelerator == .tcg
                    ? "devhost.cfg asks for emulated processors" : "guests cannot use the processor's virtualization",
                because: "emulated guests are about ten times slower",
                remedy:
                    "switch on virtualization in the firmware (or nested virtualization below), modprobe kvm_intel or kvm_amd, and let the group kvm open /dev/kvm"
            )
        ]
    }

    /// Without it VMs reach nothing outside. libvirt switches it on with a network; somebody may switch it off again.
    func forwarding(_ libvirt: Connection, _ survey: DoctorSurvey) -> [Symptom] {
        guard libvirt.driver == .qemu, survey.network != nil else { return [] }
        let settings = [
            ("IPv4", "/proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward"),
            ("IPv6", "/proc/sys/net/ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding"),
        ]
        return settings.compactMap { family, path, key in
            guard let value = try? Files.readText(path, limit: 16).trimmed, value == "0" else { return nil }
            return Symptom(
                .error, "forwarding", "this machine forwards no \(family)",
                because: "VMs reach nothing outside of the devhost over \(family)", remedy: "sysctl -w \(key)=1")
        }
    }

    func memory(_ libvirt: Connection, _ survey: DoctorSurvey) async throws -> [Symptom] {
        let given = survey.records.values.filter { survey.domains[$0.name]?.state.isActive == true }
            .reduce(UInt64(0)) { $0 + UInt64($1.memory?.mebibytes ?? 0) << 20 }
        let present = try await libvirt.node().memory
        guard given > present else { return [] }
        return [
            Symptom(
                .warning, "memory",
                "running VMs may use \(ByteText.size(given)) where the machine has \(ByteText.size(present))",
                because: "the kernel ends VMs when memory is gone", remedy: "fc-devhost suspend what nobody needs")
        ]
    }
}
