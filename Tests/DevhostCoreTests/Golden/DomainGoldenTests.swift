import Testing

@testable import DevhostCore

/// What libvirt is told about VMs. Another `definition` in the metadata restarts every VM for a change of memory or CPUs
/// and defines each anew; another machine digest throws every template away.
@Suite struct DomainGoldenTests {
    private static func definition(_ accelerator: DomainDefinition.Accelerator, _ architecture: String = "x86_64")
        throws
        -> DomainDefinition
    {
        let record = try GoldenSamples.record
        let layout = Layout()
        guard let mac = record.mac, let ipv4 = record.ipv4, let ipv6 = record.ipv6, let memory = record.memory,
            let cpus = record.cpus
        else { throw DevhostError(.damaged, "the sample lacks its identity") }
        return DomainDefinition(
            name: "demo", uuid: "00000000-0000-8000-8000-000000000007", accelerator: accelerator,
            architecture: architecture, memory: memory, cpus: cpus, maximumCPUs: 16,
            diskPath: "\(layout.disks)/demo.qcow2",
            baseImagePath: "\(layout.images)/\(GoldenSamples.digest(0x1a)).qcow2",
            firstBootPath: "\(layout.firstBoot)/demo.conf", consoleLogPath: layout.consoleLog(record.name),
            network: "devhost", filter: "devhost", mac: mac, ipv4: ipv4, ipv6: ipv6)
    }

    private static func changed(
        _ accelerator: DomainDefinition.Accelerator, _ change: (inout DomainDefinition) throws -> Void
    ) throws -> DomainDefinition {
        var definition = try definition(accelerator)
        try change(&definition)
        return definition
    }

    /// Every kind of domain that this project makes.
    private static func definitions() throws -> [(name: String, definition: DomainDefinition)] {
        let weights = ResourceWeights(hasCPU: true, hasDisk: true)
        return [
            ("kvm", try definition(.kvm)),
            ("kvm-weights", try changed(.kvm) { $0.weights = weights }),
            ("kvm-aarch64", try definition(.kvm, "aarch64")),
            ("tcg", try definition(.qemu)),
            ("tcg-aarch64", try definition(.qemu, "aarch64")),
            ("tcg-cpu-weight", try changed(.qemu) { $0.weights.hasCPU = true }),
            ("tcg-disk-weight", try changed(.qemu) { $0.weights.hasDisk = true }),
            // What is written in front of a template's memory, and what the card gets afterwards.
            ("tcg-unconnected", try changed(.qemu) { $0.isConnected = false }),
            ("kvm-unconnected", try changed(.kvm) { (domain: inout DomainDefinition) in domain.isConnected = false }),
            ("rebuilt", try changed(.kvm) { $0.diskPath = "\(Layout().disks)/demo.3.qcow2" }),
            // More CPUs than can be plugged in on this host.
            ("many-cpus", try changed(.kvm) { $0.cpus = try CPUCount(32) }),
            ("template", try changed(.kvm) { try makeTemplate(&$0, weights) }),
            ("template-tcg", try changed(.qemu) { try makeTemplate(&$0, .none) }),
            ("mock", try definition(.test)),
        ]
    }

    private static func makeTemplate(_ domain: inout DomainDefinition, _ weights: ResourceWeights) throws {
        let layout = Layout()
        let key = "0123456789abcdef"
        domain.isInBackground = true
        domain.isConnected = false
        domain.weights = weights
        domain.name = layout.templateDomain(key)
        domain.uuid = "00000000-0000-8000-8000-0000000000aa"
        domain.diskPath = "\(layout.templates)/\(layout.templateDisk(key))"
        domain.firstBootPath = "\(layout.templates)/\(layout.templateFirstBoot(key))"
        domain.consoleLogPath = layout.templateConsole(key)
    }

    @Test func domainsAreTheGoldenOnes() throws {
        for (name, definition) in try Self.definitions() {
            try Golden.expect(xml: try definition.rendered(), "domain/\(name).xml")
        }
    }

    @Test func digestsAreTheGoldenOnes() throws {
        var lines: [String] = []
        for (name, definition) in try Self.definitions() {
            lines.append("\(name) definition \(try definition.digest())")
            lines.append("\(name) machine \(try definition.machineDigest())")
        }
        try Golden.expect(text: lines.joined(separator: "\n"), "domain/digests.txt")
    }

    @Test func partsAreTheGoldenOnes() throws {
        let definition = try Self.definition(.kvm)
        try Golden.expect(xml: definition.renderedInterface, "domain/part-interface.xml")
        let target = DomainDefinition.copyTarget(
            diskPath: definition.diskPath, baseImagePath: definition.baseImagePath)
        try Golden.expect(xml: target, "domain/part-copy-target.xml")
        for architecture in ["x86_64", "aarch64"] {
            let probe = DomainDefinition.probe(architecture: architecture)
            try Golden.expect(xml: probe, "domain/probe-\(architecture).xml")
        }
        let weights = DomainDefinition.probe(
            "weights", accelerator: .qemu, architecture: "x86_64",
            weights: ResourceWeights(hasCPU: true, hasDisk: true))
        try Golden.expect(xml: weights, "domain/probe-weights.xml")
    }

    /// The paths, the UUID and all else that comes from a record, on a devhost without settings.
    @Test func aRecordsDomainIsTheGoldenOne() async throws {
        let configuration = try Configuration(
            text: "[devhost]\nlibvirt-uri = test:///default", source: "devhost.cfg")
        let devhost = Devhost(configuration: configuration, caller: Caller(userID: 0, name: "root", isElevated: false))
        let definition = try await devhost.definition(of: try GoldenSamples.record, devhost.libvirt()) { _ in }
        try Golden.expect(xml: try definition.rendered(), "domain/of-a-record.xml")
    }

    @Test func aTemplatesNameIsTheGoldenOne() throws {
        let key = try TemplateRecord.key(GoldenSamples.digest(0x1a), MachineShape("2x3G"))
        try Golden.expect(text: key, "domain/template-name.txt")
    }
}
