/// The steps of one `ensure`, in their order.
struct EnsureRun: Sendable {
    let devhost: Devhost
    let libvirt: Connection
    let plan: EnsurePlan
    let progress: ProgressHandler

    private var layout: Layout { devhost.layout }
    private var name: VMName { plan.request.name }
    var parts: VMParts { VMParts(devhost: devhost, libvirt: libvirt, name: name) }

    /// What became of a VM.
    struct Outcome: Sendable {
        /// The record as it was saved last.
        var record: VMRecord
        /// How its guest came up; nil where it ran already, or went on from memory of its own.
        var start: StartKind?
    }

    /// Brings a VM to what a record says, and notes what becomes of it.
    func perform(_ wanted: VMRecord) async throws -> Outcome {
        var record = wanted
        var start: StartKind?
        // Before anything changes, and above all before a VM goes on that was suspended.
        try await devhost.checkLimits(record, insteadOf: plan.existing, libvirt: libvirt)
        let host = HostPreparation(devhost: devhost, libvirt: libvirt)
        try await host.prepare()
        try await parts.removeOtherDisk(of: record)
        // The disk of a VM that has been up holds somebody's work; what its guest was told is known since.
        let hasBeenUp = record.guestDigest != nil && !record.isIncomplete
        if plan.isNew && plan.existing != nil { try await clearUnstarted(record) }
        let disk =
            try await hasBeenUp ? parts.bootedDiskSize(record.diskNumber) : parts.diskSize(record.diskNumber)
        // Where a rebuild was cut off, the record counts the size of its new disk.
        if let disk, plan.existing?.otherDisk != nil, plan.request.diskSize == nil {
            record.diskSize = try DiskSize(bytes: disk)
        }
        // After the disk: without it memory on disk would look as if it could not be used.
        let state = try await resumed(record)
        if let disk, let size = record.diskSize, size.bytes < disk { try acceptLargerDisk(disk, record: &record) }
        let release = try await release(for: record, hasDisk: disk != nil)
        if disk != nil || plan.request.updatesChannel || plan.isNew { follow(release, &record) }

        try await giveIdentity(to: &record)
        let hostKey = try await parts.hostKey()
        let bootstrapKey = try await parts.bootstrapKey()
        record.hostKey = hostKey.publicKey
        if plan.existing == nil { try console.noteUnstarted() }
        if record != plan.existing { try await devhost.claim(record, insteadOf: plan.existing, libvirt: libvirt) }
        var template: WarmStart.Choice?
        if disk == nil, let release { template = try await makeDisk(release, record: &record) }
        let guest = guestData(record, bootstrapKey: bootstrapKey)
        let definition = try await definition(record)
        try await parts.reserveAddresses(of: record)
        try devhost.publishNames(of: record)

        if state == .running || state == .paused {
            if state == .paused { try await libvirt.resumeDomain(name) }
            try await growRunningDisk(record, from: disk)
            let needsRestart = try await changeRunning(record, definition)
            if needsRestart {
                progress(.notice("\(name) restarts for its new memory and CPUs"))
                try await parts.shutDown(limit: devhost.configuration.shutdownLimit, progress: progress)
                do {
                    // What an interrupted rebuild left of the first-boot data may be half written.
                    let isInterrupted = record.otherDisk != nil
                    try await self.start(record, guest, hostKey, definition, renewsFirstBoot: isInterrupted)
                    start = .cold
                } catch {
                    throw await startAsBefore(because: error)
                }
            } else {
                if let ipv4 = record.ipv4 { try await parts.publishNames(ipv4: ipv4, ipv6: record.ipv6) }
                try await waitForGuest(record, consoleStart: console.start)
            }
        } else {
            if state.isActive {
                try await parts.shutDown(limit: devhost.configuration.shutdownLimit, progress: progress)
            }
            if let disk, let size = record.diskSize, disk < size.bytes {
                try await parts.growDisk(record.diskNumber, to: size)
            }
            let firstBoot = FirstBoot(guest: guest, hostKey: hostKey)
            if plan.isNew || disk == nil {
                if template == nil { try await parts.makeFirstBoot(firstBoot.rendered()) }
                record.guestDigest = try guest.digest()
                try devhost.records.save(record)
            }
            if let template, try await startWarm(template, record, firstBoot, definition) {
                start = .warm
            } else {
                try await self.start(
                    record, guest, hostKey, definition, renewsFirstBoot: record.otherDisk != nil)
                start = .cold
            }
        }
        try await libvirt.setAutostart(name, true)
        try await bringUpToDate(&record, guest)
        record.isIncomplete = false
        record.otherDisk = nil
        try devhost.records.save(record)
        await devhost.serve(progress: progress)
        return Outcome(record: record, start: start)
    }

    /// Lets a suspended VM go on, and sees to the clock of one that may have stood still. Before the record says that the
    /// VM is on: where this is cut off, the next call still knows that the clock is to be set.
    /// - Returns: The state that the VM is in then.
    private func resumed(_ record: VMRecord) async throws -> DomainState {
        var state = try await parts.stateAfterSaving(progress: progress)
        // A rebuild that was cut off may have let it go on, to shut it down.
        var wasOff = plan.existing?.isOnline == false || plan.existing?.otherDisk != nil
        if state == .suspended {
            wasOff = true
            try await parts.resume(progress: progress)
            state = try await libvirt.domainState(name)
        }
        if state == .running && wasOff { try await parts.setClock(of: record, progress: progress) }
        return state
    }

    // MARK: What the devhost gives

    /// A disk that is larger than the record says is taken as it is, unless a smaller one was asked for.
    private func acceptLargerDisk(_ bytes: UInt64, record: inout VMRecord) throws {
        if let size = plan.request.diskSize { throw EnsurePlan.shrinking(name, bytes, size) }
        record.diskSize = try DiskSize(bytes: bytes)
    }

    /// What is asked for, or what the record says where a VM without a disk is to get one again. A VM that keeps its
    /// disk takes only the channel from it; nil where that is not asked for either.
    private func release(for record: VMRecord, hasDisk: Bool) async throws -> ResolvedRelease? {
        if let reference = plan.request.release {
            if hasDisk && !plan.request.updatesChannel { return nil }
            return try await devhost.releases.resolve(reference)
        }
        if hasDisk { return nil }
        return try devhost.recordedRelease(of: record)
    }

    /// Lets a VM follow the channel of a release.
    func follow(_ release: ResolvedRelease?, _ record: inout VMRecord) {
        if let channel = release?.channelURL { record.channelURL = channel.description }
    }

    /// Records what the disk is to be made of, and makes it over the image of a release, which is kept in the store
    /// meanwhile.
    /// - Returns: The template that the VM can start from: the disk is a copy of its disk then.
    private func makeDisk(_ release: ResolvedRelease, record: inout VMRecord) async throws -> WarmStart.Choice? {
        if !plan.isNew { progress(.warning("\(name) had no disk and gets a new one")) }
        guard let size = record.diskSize else { return nil }
        let template: WarmStart.Choice?
        (record, template) = try await devhost.imageStore(libvirt, for: "'ensure \(name)'").withImage(
            ImageSource(url: release.imageURL, releaseName: release.releaseName), expectedHash: release.imageHash,
            progress: progress
        ) { [self, before = record] image in
            progress(.step("making the disk of \(name)"))
            var record = before
            record.take(release, image: image)
            let size = try plan.diskSize(size, over: image)
            record.diskSize = size
            try await devhost.claim(record, insteadOf: before, libvirt: libvirt)
            var template = try await self.template(for: record)
            // Memory knows the size that its disk had. The mock has none, and grows no disk under a domain.
            let isFixed = template != nil && libvirt.driver != .test
            try await parts.makeDisk(
                record.diskNumber, over: image, size: isFixed ? DiskSize(bytes: image.virtualSize) : size)
            if let choice = template, let overlay = choice.overlay, try await !fill(record, choice, overlay) {
                try await parts.removeDisk(record.diskNumber)
                try await parts.makeDisk(record.diskNumber, over: image, size: size)
                template = nil
            }
            return (record, template)
        }
        return template
    }

    func giveIdentity(to record: inout VMRecord) async throws {
        if record.id == nil {
            let allocation = Allocation(layout: layout, plan: devhost.plan, clock: devhost.clock)
            record.id = try await allocation.next(
                held: try await HeldIdentities(devhost: devhost, libvirt: libvirt),
                holder: "the allocation for \(name)",
                limit: devhost.configuration.lockLimit)
        }
        guard let id = record.id else { return }
        let mac = record.mac ?? devhost.plan.mac(id)
        record.mac = mac
        record.ipv4 = record.ipv4 ?? devhost.plan.ipv4(id)
        record.ipv6 = devhost.plan.ipv6(mac)
    }

    func guestData(_ record: VMRecord, bootstrapKey: SSHKeyPair) -> GuestData {
        let keys = record.authorizedKeys + devhost.configuration.authorizedKeys
        return GuestData(
            record: record, network: devhost.configuration.network, gateway: devhost.plan.gateway,
            authorizedKeys: LoginCertificate.authorizedKeys(bootstrapKey: bootstrapKey, name: name)
                + keys.map(\.description))
    }

    func definition(_ record: VMRecord) async throws -> DomainDefinition {
        try await devhost.definition(of: record, libvirt, progress: progress)
    }

    // MARK: Starting

    /// - Parameter renewsFirstBoot: Whether the first-boot data are made anew: for a disk that has not booted yet.
    func start(
        _ record: VMRecord, _ guest: GuestData, _ hostKey: SSHKeyPair, _ definition: DomainDefinition,
        renewsFirstBoot: Bool
    ) async throws {
        let hasFirstBoot = try await parts.hasFirstBoot()
        if renewsFirstBoot || !hasFirstBoot {
            try await parts.makeFirstBoot(FirstBoot(guest: guest, hostKey: hostKey).rendered())
        }
        try await parts.define(definition)
        guard let ipv4 = record.ipv4 else { return }
        try await parts.publishNames(ipv4: ipv4, ipv6: record.ipv6)
        try await startDomain(record)
    }

    private func startDomain(_ record: VMRecord) async throws {
        let consoleStart = console.end
        try console.note(consoleStart)
        // Memory that is still on disk here is of another definition or disk: libvirt goes by the name alone.
        try await libvirt.removeSavedMemory(name)
        progress(.step("starting \(name)"))
        try await libvirt.startDomain(name)
        try await waitForGuest(record, consoleStart: consoleStart)
    }

    /// Runs a VM again as it was, where libvirt does not start it as it is to be: a change must not leave it off.
    /// - Returns: Why it does not run as it was to be, with what became of it.
    private func startAsBefore(because reason: any Error) async -> any Error {
        do {
            guard let old = plan.existing, try await !libvirt.domainState(name).isActive else { return reason }
            progress(.step("starting \(name) as it was"))
            try devhost.records.save(old)
            try await parts.define(try await definition(old))
            try await startDomain(old)
            return DevhostError.wrapping(reason, "cannot change it").prefixed("\(name) runs as before")
        } catch {
            progress(.warning("\(name) does not start as it was either: \(error)"))
            return reason
        }
    }

    private var console: ConsoleMark { ConsoleMark(layout: layout, name: name) }

    /// - Parameter limit: How long ssh may take; nil for what was asked for, or devhost.cfg says.
    /// - Parameter believesConsole: Whether the guest may say itself that its sshd answers.
    func waitForGuest(
        _ record: VMRecord, consoleStart: UInt64, limit: Duration? = nil, believesConsole: Bool = false
    ) async throws {
        guard let ipv4 = record.ipv4 else { return }
        let readiness = Readiness(
            name: name, address: ipv4, consoleLog: layout.consoleLog(name), consoleStart: consoleStart,
            limit: limit ?? plan.request.startLimit ?? devhost.configuration.startLimit, clock: devhost.clock,
            probe: devhost.probe, state: { [libvirt, name] in try await libvirt.domainState(name) },
            believesConsole: believesConsole)
        try await readiness.wait(progress: progress)
    }

    // MARK: Changing what runs

    private func growRunningDisk(_ record: VMRecord, from disk: UInt64?) async throws {
        guard let size = record.diskSize, let disk, disk < size.bytes else { return }
        try await libvirt.resizeDisk(name, target: DomainDefinition.diskTarget, bytes: size.bytes)
    }

    /// Changes the definition, and the running VM where it can be changed as it runs.
    /// - Returns: Whether it has to restart for the rest.
    private func changeRunning(_ record: VMRecord, _ definition: DomainDefinition) async throws -> Bool {
        try await parts.define(definition)
        guard let memory = record.memory?.mebibytes, let cpus = record.cpus?.value else { return false }
        let info = try await libvirt.domainInfo(name)
        if memory > info.maximumMemory || cpus < info.cpus { return true }
        do {
            if memory != info.memory { try await libvirt.setLiveMemory(name, mebibytes: memory) }
            if cpus > info.cpus { try await libvirt.setLiveCPUs(name, count: cpus) }
            return false
        } catch let error as DevhostError where error.underlying is LibvirtError {
            return true
        }
    }

    /// Tells the guest what changed since it was told last, by its first-boot data or here.
    private func bringUpToDate(_ record: inout VMRecord, _ guest: GuestData) async throws {
        let digest = try guest.digest()
        guard record.guestDigest != digest else { return }
        if libvirt.driver != .test, let ipv4 = record.ipv4, let hostKey = record.hostKey {
            progress(.step("telling \(name) what changed"))
            let shell = GuestShell(name: name, address: ipv4, hostKey: hostKey, identity: layout.bootstrapKey)
            let sync = GuestSync(
                shell: shell, data: guest, updatesChannel: plan.request.updatesChannel, limit: .seconds(120))
            let cpus = try await sync.run()
            if let cpus, let wanted = record.cpus?.value, cpus != wanted {
                progress(.warning("\(name) uses \(cpus) of its \(wanted) CPUs until it restarts"))
            }
        }
        record.guestDigest = digest
    }
}
