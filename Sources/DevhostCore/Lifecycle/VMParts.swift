/// The parts of one VM outside its record: keys, disk, first-boot data, domain, names. Making one looks first and does
/// what is missing; taking one away works whatever is left of it. The VM's lock must be held.
struct VMParts: Sendable {
    let devhost: Devhost
    let libvirt: Connection
    let name: VMName

    private var layout: Layout { devhost.layout }
    private var network: Configuration.Network { devhost.configuration.network }
    private var diskPool: String { HostPreparation.diskPool(network) }
    private var firstBootPool: String { HostPreparation.firstBootPool(network) }

    // MARK: Keys

    /// The VM's ssh host key, made if it has none.
    func hostKey() async throws -> SSHKeyPair {
        try Files.createDirectory(layout.folder(name), mode: 0o700)
        return try await SSHKeyPair.ensure(layout.hostKey(name), comment: name.description)
    }

    /// The devhost's own key, made by whoever needs it first.
    func bootstrapKey() async throws -> SSHKeyPair {
        if let key = try SSHKeyPair.load(layout.bootstrapKey) { return key }
        return try await devhost.withHostLock {
            try await SSHKeyPair.ensure(layout.bootstrapKey, comment: "devhost")
        }
    }

    // MARK: Disk

    /// The virtual size of a disk of the VM in bytes; nil where there is none.
    func diskSize(_ number: UInt32) async throws -> UInt64? {
        try await libvirt.volumeStatus(pool: diskPool, name: layout.diskVolume(name, number))?.capacity
    }

    /// The virtual size of the disk of a VM that has been up, in bytes.
    /// - Throws: `damaged` where it is missing, also after libvirt has looked for it anew.
    func bootedDiskSize(_ number: UInt32) async throws -> UInt64? {
        if let size = try await diskSize(number) { return size }
        try await libvirt.refreshPool(diskPool)
        guard let size = try await diskSize(number) else {
            throw DevhostError(
                .damaged, "the disk \(diskPath(number)) of \(name) is missing",
                next: "bring the file back (is its file system mounted?), or give the VM a fresh one with 'fc-devhost "
                    + "rebuild \(name)'")
        }
        return size
    }

    /// What a disk of the VM occupies on the devhost in bytes; nil where there is none.
    func diskAllocation(_ number: UInt32) async throws -> UInt64? {
        try await libvirt.volumeStatus(pool: diskPool, name: layout.diskVolume(name, number))?.allocation
    }

    func diskPath(_ number: UInt32) -> String { "\(layout.disks)/\(layout.diskVolume(name, number))" }

    /// Makes the overlay over a base image.
    func makeDisk(_ number: UInt32, over image: BaseImage, size: DiskSize) async throws {
        let volume = VolumeDefinition(
            name: layout.diskVolume(name, number), format: .qcow2, capacity: max(size.bytes, image.virtualSize),
            mode: "0600", backing: image.path)
        try await libvirt.createVolume(pool: diskPool, name: volume.name, xml: volume.rendered)
    }

    /// Makes the overlay over a base image a copy of another one over it.
    func fillDisk(_ number: UInt32, _ overlay: TemplateOverlay) async throws {
        let parts = overlay.parts()
        try await libvirt.uploadVolume(pool: diskPool, name: layout.diskVolume(name, number)) { try parts.next() }
    }

    /// Removes a disk; one that is missing is as good. No guest may run on it.
    func removeDisk(_ number: UInt32) async throws {
        try await libvirt.deleteVolume(pool: diskPool, name: layout.diskVolume(name, number))
    }

    /// Grows a disk of a VM that is off.
    func growDisk(_ number: UInt32, to size: DiskSize) async throws {
        try await libvirt.resizeVolume(pool: diskPool, name: layout.diskVolume(name, number), bytes: size.bytes)
    }

    /// Takes away the disk beside the VM's own that a rebuild left, and stops a guest that runs on it; one on the VM's
    /// own disk goes on.
    func removeOtherDisk(of record: VMRecord) async throws {
        guard let other = record.otherDisk, other != record.diskNumber else { return }
        let volume = layout.diskVolume(name, other)
        if try await libvirt.isDomain(name, runningOnVolume: volume) { try await libvirt.killDomain(name) }
        try await libvirt.deleteVolume(pool: diskPool, name: volume)
    }

    /// Ends the copy of another VM's disk to the disk of this one, which a cloning that was cut off left under way.
    func endCopy(from source: VMName) async throws {
        let volume = layout.diskVolume(name, 0)
        guard libvirt.driver != .test, try await libvirt.isDomain(source, runningOnVolume: volume) else { return }
        try await libvirt.endCopy(of: source, target: DomainDefinition.diskTarget)
    }

    /// The volumes that hold anything of the VM, all disks that rebuilds made among them.
    private func volumes() async throws -> [(pool: String, name: String)] {
        // Or what lies there would count as gone: not destroyed, or taken for part of a new VM that fails.
        try await HostPreparation(devhost: devhost, libvirt: libvirt).activatePools()
        var volumes = try await libvirt.volumeNames(pool: diskPool)
            .filter { layout.owner(ofDiskVolume: $0) == name }.map { (pool: diskPool, name: $0) }
        let firstBoot = layout.firstBootVolume(name)
        if try await libvirt.volumeStatus(pool: firstBootPool, name: firstBoot) != nil {
            volumes.append((firstBootPool, firstBoot))
        }
        return volumes
    }

    // MARK: First-boot data

    var firstBootPath: String { "\(layout.firstBoot)/\(layout.firstBootVolume(name))" }

    /// Makes the volume that QEMU gives the guest at its start, anew where it exists.
    func makeFirstBoot(_ content: [UInt8]) async throws {
        try await libvirt.makeVolume(pool: firstBootPool, name: layout.firstBootVolume(name), content: content)
    }

    func hasFirstBoot() async throws -> Bool {
        try await libvirt.volumeStatus(pool: firstBootPool, name: layout.firstBootVolume(name)) != nil
    }

    // MARK: Domain

    /// Whether a domain of this name was made by us.
    /// - Throws: `conflict` for a domain that somebody else made.
    func checkDomainIsOurs() async throws {
        guard try await libvirt.domainState(name) != .missing else { return }
        guard try await libvirt.domainMetadata(name, namespace: DomainDefinition.namespace) != nil else {
            throw DevhostError(
                .conflict, "libvirt has a domain \(name) that fc-devhost did not make",
                next: "choose another name, or look at it with 'virsh dominfo \(name)'")
        }
    }

    /// Defines the domain, or changes its definition where it is another one.
    func define(_ definition: DomainDefinition) async throws {
        let digest = try definition.digest().description
        if try await libvirt.domainState(name) != .missing,
            try await libvirt.domainMetadata(name, namespace: DomainDefinition.namespace)?.contains(digest) == true
        {
            return
        }
        try await libvirt.defineDomain(name, xml: try definition.rendered())
    }

    /// Shuts the guest down: asks, waits, and pulls the plug when the limit passes. One that is suspended is resumed for
    /// it, so that it loses nothing, and so is one that is paused: QEMU pauses a guest that cannot write to its disk, and
    /// lets it write again what failed.
    /// - Returns: Whether the guest went down by itself.
    @discardableResult
    func shutDown(limit: Duration, progress: ProgressHandler) async throws -> Bool {
        if try await stateAfterSaving(progress: progress) == .suspended { try await resume(progress: progress) }
        let start = devhost.clock.monotonic
        var nextRequest = start
        var wasResumed = false
        let reason: String
        while true {
            var state = try await libvirt.domainState(name)
            if state == .paused, !wasResumed {
                wasResumed = true
                progress(.step("resuming \(name), which is paused"))
                // What fails here shows in its state.
                try? await libvirt.resumeDomain(name)
                state = try await libvirt.domainState(name)
            }
            if !state.isActive { return true }
            let now = devhost.clock.monotonic
            // A paused or crashed guest hears no request.
            if state == .paused {
                reason = "is paused and does not go on (is there room left on the devhost?)"
                break
            }
            if state == .crashed {
                reason = "has crashed"
                break
            }
            if now - start >= limit {
                reason = "did not shut down within \(limit.components.seconds) s"
                break
            }
            if now >= nextRequest {
                // A guest that is still booting ignores the first request.
                nextRequest = now + .seconds(5)
                try await libvirt.requestShutdown(name)
                progress(.step("waiting for \(name) to shut down (\((now - start).components.seconds) s)"))
            }
            try await devhost.clock.sleep(for: .milliseconds(50))
        }
        progress(.warning("\(name) \(reason) and is stopped by force"))
        try await libvirt.killDomain(name)
        return false
    }

    // MARK: Names

    /// Makes the VM's name resolve in the network's DNS and on the devhost. Where it does, no lock is taken that VMs share.
    func publishNames(ipv4: IPv4Address, ipv6: IPv6Address?) async throws {
        let addresses = [ipv4.description] + (ipv6.map { [$0.description] } ?? [])
        try devhost.dnsFolder.publish(name, addresses: addresses)
        if try devhost.hostsFile.holds(name, addresses: addresses) { return }
        try await devhost.withHostLock { try devhost.hostsFile.publish(name, addresses: addresses) }
    }

    /// Takes the VM's name out of the network's DNS and the devhost's hosts file.
    func withdrawNames() async throws {
        try devhost.dnsFolder.withdraw(name)
        try await devhost.withHostLock { try devhost.hostsFile.withdraw(name) }
    }

    /// Reserves the addresses of a record that the fixed mapping does not cover: one that the old tool made.
    func reserveAddresses(of record: VMRecord) async throws {
        guard let own = devhost.plan.reservation(of: record), !devhost.plan.isPlanned(own) else { return }
        let xml = try await libvirt.networkXML(network.name)
        let mac = own.mac.description
        let address = own.ipv4.description
        if xml.contains("<host mac='\(mac)' ip='\(address)'/>") { return }
        try await devhost.withHostLock {
            for line in xml.split(separator: "\n")
            where line.contains("<host mac='\(mac)'")
                || (line.contains("<host mac=") && line.contains("ip='\(address)'"))
            {
                try await libvirt.updateReservation(network.name, adding: false, xml: String(line).trimmed)
            }
            try await libvirt.updateReservation(network.name, adding: true, xml: own.xml)
        }
    }

    /// Gives back addresses that the fixed mapping does not cover: the pairs that they displaced are the network's again,
    /// as far as no other VM holds them.
    func releaseAddresses(of record: VMRecord) async throws {
        guard let own = devhost.plan.reservation(of: record), !devhost.plan.isPlanned(own),
            try await libvirt.networkStatus(network.name) != nil
        else { return }
        let records = try devhost.records.readable() + devhost.records.salvaged()
        let held = records.filter { $0.name != name }.compactMap(devhost.plan.reservation)
        try await devhost.withHostLock {
            let xml = try await libvirt.networkXML(network.name)
            if xml.contains(own.xml) {
                try await libvirt.updateReservation(network.name, adding: false, xml: own.xml)
            }
            for pair in devhost.plan.planned(displacedBy: own)
            where !xml.contains(pair.xml) && !held.contains(where: { $0.mac == pair.mac || $0.ipv4 == pair.ipv4 }) {
                try await libvirt.updateReservation(network.name, adding: true, xml: pair.xml)
            }
        }
    }

    // MARK: All of it

    /// Whether anything is left of the VM beside its record.
    func exist() async throws -> Bool {
        if Files.exists(layout.folder(name)) { return true }
        return try await hasDomainOrVolumes()
    }

    /// Whether libvirt has anything of the VM.
    func hasDomainOrVolumes() async throws -> Bool {
        if try await libvirt.domainState(name) != .missing { return true }
        return try await !volumes().isEmpty
    }

    /// Takes everything away: first what runs, then what it stands on.
    func remove() async throws {
        try devhost.withdrawNames(of: name)
        // libvirt may wait for the rest of the memory, where a warm start was killed.
        try PathPipe.release(layout.memoryPipe(name))
        try await libvirt.killDomain(name)
        try await libvirt.undefineDomain(name)
        for volume in try await volumes() { try await libvirt.deleteVolume(pool: volume.pool, name: volume.name) }
        try await withdrawNames()
        try removeFolder()
    }

    /// Removes the files that are ours, and the folder where nothing else is left in it.
    private func removeFolder() throws {
        let folder = layout.folder(name)
        guard Files.isDirectory(folder) else { return }
        for file in try Files.names(in: folder)
        where file == "log" || file.hasPrefix("log.") || file.hasPrefix("ssh_host_") || file == ConsoleMark.fileName
            || file == ConsoleMark.unstartedName
            || Files.isTemporary(file)
        {
            try Files.remove("\(folder)/\(file)")
        }
        if try Files.names(in: folder).isEmpty { try Files.removeDirectory(folder) }
    }
}
