/// The steps of one cloning, in their order.
///
/// A guest is who its disk says, so the clone boots twice: first with data that replace what made it its source (ssh host
/// key, machine-id, host name, keys, enc.json), then, as systemd reads the machine-id before anything else, with its own.
/// Until it has, its record says that it is a clone that is not done, which nothing but another cloning completes.
struct CloneRun: Sendable {
    /// What is asked for.
    struct Wish: Sendable {
        let source: VMName
        let name: VMName
        var authorizedKeys: [AuthorizedKey]?
        var startLimit: Duration?
    }

    let devhost: Devhost
    let libvirt: Connection
    let progress: ProgressHandler
    private let source: VMRecord
    /// The size of the source's disk in bytes.
    private let bytes: UInt64
    private let steps: EnsureRun

    private var layout: Layout { devhost.layout }
    private var name: VMName { steps.plan.request.name }
    private var parts: VMParts { steps.parts }
    private var sourceParts: VMParts { VMParts(devhost: devhost, libvirt: libvirt, name: source.name) }

    /// - Throws: `conflict` for a source whose disk or image is not known.
    init(
        devhost: Devhost, libvirt: Connection, wish: Wish, source: VMRecord, progress: @escaping ProgressHandler
    ) async throws {
        let parts = VMParts(devhost: devhost, libvirt: libvirt, name: source.name)
        guard let bytes = try await parts.diskSize(source.diskNumber), source.imageHash != nil else {
            throw DevhostError(
                .conflict, "\(source.name) has no disk that could be copied",
                next: "run 'fc-devhost ensure \(source.name)' first")
        }
        self.devhost = devhost
        self.libvirt = libvirt
        self.source = source
        self.progress = progress
        self.bytes = bytes
        var request = EnsureRequest(name: wish.name)
        request.memory = source.memory
        request.cpus = source.cpus
        request.diskSize = try DiskSize(bytes: bytes)
        request.aliases = source.aliases
        request.isPrivate = source.isPrivate
        request.location = source.location
        request.startLimit = wish.startLimit
        request.authorizedKeys =
            wish.authorizedKeys ?? (source.owner == devhost.caller.name ? source.authorizedKeys : [])
        let plan = EnsurePlan(
            request: request, existing: nil, configuration: devhost.configuration, caller: devhost.caller,
            now: Timestamp(devhost.clock.now), isNew: true)
        steps = EnsureRun(devhost: devhost, libvirt: libvirt, plan: plan, progress: progress)
    }

    /// Records the clone and copies the disk.
    /// - Returns: The record as it was saved.
    func copy() async throws -> VMRecord {
        var record = try steps.plan.record()
        record.aliasPorts = source.aliasPorts
        record.imageURL = source.imageURL
        record.imageHash = source.imageHash
        record.channelURL = source.channelURL
        record.hydraEval = source.hydraEval
        record.releaseReference = source.releaseReference
        record.releaseName = source.releaseName
        record.cloneOf = source.name
        try await HostPreparation(devhost: devhost, libvirt: libvirt).prepare()
        try await steps.giveIdentity(to: &record)
        record.hostKey = try await parts.hostKey().publicKey
        try await devhost.claim(record, insteadOf: nil, libvirt: libvirt)
        try await copyDisk(to: record)
        return record
    }

    private func copyDisk(to record: VMRecord) async throws {
        guard let hash = source.imageHash else { return }
        progress(.step("copying the disk of \(source.name)"))
        let occupied = try await sourceParts.diskAllocation(source.diskNumber) ?? 0
        try FreeSpace.require([(layout.state, occupied)], for: "the copy of the disk of \(source.name)")
        let image = BaseImage(sha256: hash, path: "\(layout.images)/\(hash).qcow2", virtualSize: bytes)
        try await parts.makeDisk(record.diskNumber, over: image, size: try DiskSize(bytes: bytes))
        // The mock has disks without contents.
        guard libvirt.driver != .test else { return }
        let wasOff = try await libvirt.domainState(source.name) == .off
        if wasOff {
            try await libvirt.startDomainForCopy(source.name)
        } else {
            // One that was cut off goes on, and would go on for ever.
            try await libvirt.endCopy(of: source.name, target: DomainDefinition.diskTarget)
        }
        do {
            let xml = DomainDefinition.copyTarget(
                diskPath: parts.diskPath(record.diskNumber), baseImagePath: image.path)
            try await libvirt.copyDisk(
                of: source.name, target: DomainDefinition.diskTarget, to: xml, clock: devhost.clock
            ) { [progress, source] done, total in
                progress(.transfer(what: "the disk of \(source.name)", done: done, total: total, rate: 0))
            } finish: {
                if !wasOff { await flush() }
            }
        } catch {
            if wasOff { try? await libvirt.killDomain(source.name) }
            throw error
        }
        if wasOff { try await libvirt.killDomain(source.name) }
    }

    /// Has a guest that runs write what it holds in memory, so that the copy has it. One that does not answer is copied
    /// as it is.
    private func flush() async {
        guard let ipv4 = source.ipv4, let hostKey = source.hostKey else { return }
        let shell = GuestShell(name: source.name, address: ipv4, hostKey: hostKey, identity: layout.bootstrapKey)
        do {
            try await shell.run("sync", limit: .seconds(60))
        } catch {
            progress(.warning("what \(source.name) has not yet written to its disk is not in the clone: \(error)"))
        }
    }

    /// Makes the copied disk a VM of its own.
    /// - Returns: The record as it was saved last.
    func bringUp(_ copied: VMRecord) async throws -> VMRecord {
        var record = copied
        let hostKey = try await parts.hostKey()
        let guest = steps.guestData(record, bootstrapKey: try await parts.bootstrapKey())
        let definition = try await steps.definition(record)
        // Random: made from the name, a clone that is destroyed and made again would be the same machine.
        let machineID = (0..<2).map { _ in
            let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
        try await parts.reserveAddresses(of: record)
        try devhost.publishNames(of: record)
        try await parts.makeFirstBoot(
            FirstBoot(guest: guest, hostKey: hostKey, newMachineID: machineID).rendered())
        progress(.notice("\(name) boots twice: once to become itself"))
        try await steps.start(record, guest, hostKey, definition, renewsFirstBoot: false)
        try await parts.shutDown(limit: devhost.configuration.shutdownLimit, progress: progress)
        try await steps.start(record, guest, hostKey, definition, renewsFirstBoot: true)
        try await checkIdentity(record, machineID)
        try await libvirt.setAutostart(name, true)
        record.guestDigest = try guest.digest()
        record.isIncomplete = false
        record.cloneOf = nil
        try devhost.records.save(record)
        return record
    }

    /// A guest that takes no first-boot data would go on as its source.
    private func checkIdentity(_ record: VMRecord, _ machineID: String) async throws {
        guard libvirt.driver != .test, let ipv4 = record.ipv4, let hostKey = record.hostKey else { return }
        let shell = GuestShell(name: name, address: ipv4, hostKey: hostKey, identity: layout.bootstrapKey)
        let found = try await shell.run("cat /etc/machine-id", limit: .seconds(120)).text.trimmed
        guard found == machineID else {
            throw DevhostError(
                .guestFailed, "the guest keeps the identity of \(source.name)",
                next: "its image must take system credentials from QEMU (systemd 252 or newer)")
        }
    }
}
