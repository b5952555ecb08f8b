/// What libvirt is told about a VM (https://libvirt.org/formatdomain.html). Every path and format in it is stated:
/// nothing is left to be probed.
struct DomainDefinition {
    /// How the guest's processor is made.
    enum Accelerator: String, Sendable, Codable {
        /// The host's processor through KVM.
        case kvm
        /// Emulated by QEMU.
        case qemu
        /// libvirt's mock.
        case test
    }

    /// The element of the metadata that tells which definition this is.
    static let namespace = "urn:devhost:vm"
    /// The disk's name within the domain.
    static let diskTarget = "vda"
    /// Where systemd looks for first-boot data in QEMU's firmware configuration (systemd.exec(5), credentials).
    static let credentialName = "opt/io.systemd.credentials/tmpfiles.extra"

    /// A VM's name, or one that no VM can bear.
    var name: String
    var uuid: String
    var accelerator: Accelerator
    var architecture: String
    var memory: MemorySize
    var cpus: CPUCount
    /// How many CPUs can be plugged in while it runs.
    var maximumCPUs: Int
    var diskPath: String
    var baseImagePath: String
    var firstBootPath: String
    var consoleLogPath: String
    var network: String
    var filter: String
    var mac: MACAddress
    var ipv4: IPv4Address
    var ipv6: IPv6Address
    /// Which weights the host can hold it to.
    var weights = ResourceWeights.none
    /// Whether others get the processors first.
    var isInBackground = false
    /// Whether its network card has a link. Nothing passes without one, so that a card without a link has no filter.
    var isConnected = true

    /// The digest of everything that needs a restart of the VM to change, and of nothing else.
    func digest() throws -> SHA256Digest {
        var definition = self
        definition.isConnected = true
        return try definition.bodyDigest()
    }

    private func bodyDigest() throws -> SHA256Digest {
        try SHA256Hasher.digest(Array(body(metadata: nil).rendered.utf8))
    }

    /// The digest of the machine that a guest sees, whose memory fits no other: of the definition without what differs
    /// between VMs of one shape.
    func machineDigest() throws -> SHA256Digest {
        var machine = self
        machine.name = "machine"
        machine.uuid = ""
        machine.diskPath = ""
        machine.baseImagePath = ""
        machine.firstBootPath = ""
        machine.consoleLogPath = ""
        machine.network = ""
        machine.filter = ""
        machine.mac = MACAddress(bits: 0)
        machine.ipv4 = IPv4Address(bits: 0)
        machine.ipv6 = .linkLocal(mac: machine.mac)
        machine.weights = .none
        machine.isInBackground = false
        // The guest takes the state of the link from the saved memory: one that was saved with a link fits no VM that
        // starts without a filter.
        machine.isConnected = false
        return try machine.bodyDigest()
    }

    /// The domain with its digest in the metadata.
    func rendered() throws -> String {
        let mark = XMLElement("devhost:vm", ["xmlns:devhost": Self.namespace, "definition": try digest().description])
        return body(metadata: XMLElement("metadata", [:], [mark])).rendered
    }

    private func body(metadata: XMLElement?) -> XMLElement {
        let isX86 = architecture == "x86_64"
        return XMLElement(
            "domain", ["type": accelerator.rawValue],
            [
                XMLElement("name", text: name),
                XMLElement("uuid", text: uuid),
                metadata,
                XMLElement("memory", ["unit": "MiB"], text: "\(memory.mebibytes)"),
                XMLElement(
                    "vcpu", ["placement": "static", "current": "\(cpus)"], text: "\(max(maximumCPUs, cpus.value))"),
                accelerator == .test ? nil : credential,
            ] + weights.elements(cpu: isInBackground ? ResourceWeights.lowValue : ResourceWeights.value) + [
                XMLElement(
                    "os", [:],
                    [
                        XMLElement("type", ["arch": architecture, "machine": isX86 ? "q35" : nil], text: "hvm"),
                        XMLElement("boot", ["dev": "hd"]),
                    ]),
                XMLElement("features", [:], [XMLElement("acpi"), isX86 ? XMLElement("apic") : nil]),
                cpu,
                XMLElement("clock", ["offset": "utc"], isX86 ? Self.timers : []),
                XMLElement("on_poweroff", text: "destroy"),
                XMLElement("on_reboot", text: "restart"),
                XMLElement("on_crash", text: "destroy"),
                XMLElement(
                    "devices", [:],
                    [
                        disk, interface, console,
                        XMLElement(
                            "console", ["type": "pty"], [XMLElement("target", ["type": "serial", "port": "0"])]),
                        XMLElement(
                            "channel", ["type": "unix"],
                            [XMLElement("target", ["type": "virtio", "name": "org.qemu.guest_agent.0"])]),
                        XMLElement("controller", ["type": "usb", "model": "none"]),
                        XMLElement("video", [:], [XMLElement("model", ["type": "none"])]),
                        XMLElement("memballoon", ["model": "virtio", "freePageReporting": "on"]),
                        XMLElement(
                            "rng", ["model": "virtio"],
                            [XMLElement("backend", ["model": "random"], text: "/dev/urandom")]),
                    ]),
            ])
    }

    /// A clock that catches up lost ticks, without the timer that costs idle guests interrupts.
    private static let timers = [
        XMLElement("timer", ["name": "rtc", "tickpolicy": "catchup"]),
        XMLElement("timer", ["name": "pit", "tickpolicy": "delay"]),
        XMLElement("timer", ["name": "hpet", "present": "no"]),
    ]

    private var credential: XMLElement {
        XMLElement(
            "sysinfo", ["type": "fwcfg"], [XMLElement("entry", ["name": Self.credentialName, "file": firstBootPath])])
    }

    /// `qemu64` boots a Debian guest 4 s faster under emulation than `max`, whose features all have to be emulated.
    private var cpu: XMLElement? {
        switch accelerator {
        case .kvm: XMLElement("cpu", ["mode": "host-passthrough"])
        case .qemu where architecture == "x86_64":
            XMLElement(
                "cpu", ["mode": "custom", "match": "exact"],
                [XMLElement("model", ["fallback": "forbid"], text: "qemu64")])
        case .qemu: XMLElement("cpu", ["mode": "maximum"])
        case .test: nil
        }
    }

    private var disk: XMLElement {
        XMLElement(
            "disk", ["type": "file", "device": "disk"],
            [
                XMLElement("driver", ["name": "qemu", "type": "qcow2", "discard": "unmap"]),
                XMLElement("source", ["file": diskPath]),
                Self.base(baseImagePath, isLabelled: accelerator == .test),
                XMLElement("target", ["dev": Self.diskTarget, "bus": "virtio"]),
            ])
    }

    /// The base image is shared and read-only: libvirt must not give it to QEMU's user, hence the label.
    private static func base(_ path: String, isLabelled: Bool) -> XMLElement {
        XMLElement(
            "backingStore", ["type": "file"],
            [
                XMLElement("format", ["type": "qcow2"]),
                XMLElement(
                    "source", ["file": path],
                    isLabelled ? [] : [XMLElement("seclabel", ["model": "dac", "relabel": "no"])]),
                XMLElement("backingStore"),
            ])
    }

    /// The disk that a running domain's disk is copied to: an overlay over the same base image.
    static func copyTarget(diskPath: String, baseImagePath: String) -> String {
        XMLElement(
            "disk", ["type": "file", "device": "disk"],
            [
                XMLElement("driver", ["name": "qemu", "type": "qcow2"]),
                XMLElement("source", ["file": diskPath]),
                base(baseImagePath, isLabelled: false),
            ]
        ).rendered
    }

    /// The network card alone.
    var renderedInterface: String { interface.rendered }

    private var interface: XMLElement {
        XMLElement(
            "interface", ["type": "network"],
            [
                XMLElement("mac", ["address": mac.description]),
                XMLElement("source", ["network": network]),
                XMLElement("model", ["type": "virtio"]),
                accelerator == .test ? nil : isConnected ? filterReference : XMLElement("link", ["state": "down"]),
            ])
    }

    private var filterReference: XMLElement {
        let parameters = [
            ("IP", ipv4.description), ("IPV6", ipv6.description),
            ("LINKLOCAL", IPv6Address.linkLocal(mac: mac).description),
        ]
        return XMLElement(
            "filterref", ["filter": filter],
            parameters.map { XMLElement("parameter", ["name": $0.0, "value": $0.1]) })
    }

    /// Appends, or every start would empty the log that tells why the last one failed.
    private var console: XMLElement {
        XMLElement(
            "serial", ["type": "pty"],
            [
                XMLElement("log", ["file": consoleLogPath, "append": "on"]),
                XMLElement("target", ["type": "isa-serial", "port": "0"]),
            ])
    }

    /// A domain without a disk or a network, paused from the start: whether QEMU can use KVM, or libvirt weigh it,
    /// shows in its creation.
    static func probe(
        _ name: String = "kvm", accelerator: Accelerator = .kvm, architecture: String,
        weights: ResourceWeights = .none
    ) -> String {
        XMLElement(
            "domain", ["type": accelerator.rawValue],
            [
                XMLElement("name", text: "_devhost-\(name)-probe"),
                XMLElement("memory", ["unit": "MiB"], text: "64"),
            ] + weights.elements() + [
                XMLElement(
                    "os", [:],
                    [
                        XMLElement(
                            "type", ["arch": architecture, "machine": architecture == "x86_64" ? "q35" : nil],
                            text: "hvm")
                    ]),
                XMLElement("features", [:], [XMLElement("acpi")]),
                accelerator == .kvm ? XMLElement("cpu", ["mode": "host-passthrough"]) : nil,
                XMLElement(
                    "devices", [:],
                    [
                        XMLElement("controller", ["type": "usb", "model": "none"]),
                        XMLElement("memballoon", ["model": "none"]),
                    ]),
            ]
        ).rendered
    }
}
