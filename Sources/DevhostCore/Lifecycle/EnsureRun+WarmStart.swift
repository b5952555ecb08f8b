/// The start of a new VM from a template, and back to a boot where that fails.
extension EnsureRun {
    private var warmStart: WarmStart {
        WarmStart(devhost: devhost, libvirt: libvirt, name: plan.request.name, progress: progress)
    }

    /// Takes away what an interrupted call left of a VM that was never let run: a domain that stands still with the
    /// memory of a template, and a disk that may be half copied.
    func clearUnstarted(_ record: VMRecord) async throws {
        // Before the domain: libvirt may wait for the rest of it.
        try PathPipe.release(devhost.layout.memoryPipe(record.name))
        try await libvirt.killDomain(record.name)
        try await parts.removeDisk(record.diskNumber)
    }

    /// The template that a VM can start from; nil where it has to boot. Only a VM that has never been up starts warm.
    func template(for record: VMRecord) async throws -> WarmStart.Choice? {
        let settings = devhost.configuration.warmStart
        guard settings.isEnabled, plan.isNew, libvirt.driver == .qemu || libvirt.driver == .test,
            let image = record.imageHash, let cpus = record.cpus, let memory = record.memory
        else { return nil }
        let shape = MachineShape(cpus: cpus, memory: memory)
        if settings.shapes != .none {
            let now = Timestamp(devhost.clock.now)
            try await devhost.noteDemand { $0.note(image, shape, at: now) }
        }
        guard !plan.request.bootsCold else { return nil }
        return try await warmStart.choose(image, shape) { try await definition(record) }
    }

    /// Copies the overlay of a template into the disk of a VM.
    /// - Returns: False where it is not the one that was kept: the disk is of no use then.
    func fill(_ record: VMRecord, _ template: WarmStart.Choice, _ overlay: TemplateOverlay) async throws -> Bool {
        do {
            try await parts.fillDisk(record.diskNumber, overlay)
            return true
        } catch let error as DevhostError where error.code == .damaged {
            try await warmStart.discard(template.key, because: error.message)
            return false
        }
    }

    /// Starts a new VM from a template. Where that fails, a warning says why, and the VM is as before its first start,
    /// with a disk that has never been used.
    /// - Returns: Whether it answers.
    func startWarm(
        _ template: WarmStart.Choice, _ record: VMRecord, _ firstBoot: FirstBoot, _ definition: DomainDefinition
    ) async throws -> Bool {
        guard let mac = record.mac, let ipv4 = record.ipv4 else { return false }
        guard let content = try firstBoot.rendered(FirstBoot.Difference(mac: mac)) else {
            progress(.notice("\(record.name) boots cold: its first-boot data are too large to start warm"))
            try await parts.makeFirstBoot(firstBoot.rendered())
            try await makeUnused(record)
            return false
        }
        try await parts.makeFirstBoot(content)
        try await parts.define(definition)
        try await parts.publishNames(ipv4: ipv4, ipv6: record.ipv6)
        let place = try await warmStart.place()
        defer { withExtendedLifetime(place) {} }
        progress(.step("starting \(record.name) warm"))
        guard try await warmStart.start(template, definition) else {
            try await makeUnused(record)
            return false
        }
        do {
            try await letRun(record, definition)
        } catch let error as DevhostError {
            try await warmStart.fail(template.key, because: "\(error)")
            try await makeUnused(record)
            return false
        }
        try await warmStart.noteUse(of: template.key)
        return true
    }

    /// Lets a guest go on that stands still with the memory of a template, and waits until it answers.
    private func letRun(_ record: VMRecord, _ definition: DomainDefinition) async throws {
        let name = record.name
        let mark = ConsoleMark(layout: devhost.layout, name: name)
        let consoleStart = mark.end
        let growDisk = { [libvirt] in
            guard let size = record.diskSize, libvirt.driver != .test else { return }
            try await libvirt.resizeDisk(name, target: DomainDefinition.diskTarget, bytes: size.bytes)
        }
        // QEMU 10 lets nobody resize the disk of a guest that has not gone on since its memory came.
        let isGrown = (try? await growDisk()) != nil
        if try await libvirt.domainState(name) == .paused { try await libvirt.resumeDomain(name) }
        if !isGrown { try await growDisk() }
        // libvirt runs a program for each rule of the filter, a second in all: the guest takes up its identity meanwhile.
        if libvirt.driver != .test {
            try await libvirt.connectDomain(name, interface: definition.renderedInterface)
        }
        // From here on somebody may work in it.
        try mark.note(consoleStart)
        let limit = min(
            devhost.configuration.warmStart.answerLimit,
            plan.request.startLimit ?? devhost.configuration.startLimit)
        try await waitForGuest(record, consoleStart: consoleStart, limit: limit, believesConsole: true)
    }

    /// Throws away what started warm, and gives the VM a disk as it had before its first start.
    private func makeUnused(_ record: VMRecord) async throws {
        try await libvirt.killDomain(record.name)
        let release = try devhost.recordedRelease(of: record)
        try await devhost.imageStore(libvirt, for: "'ensure \(record.name)'").withImage(
            ImageSource(url: release.imageURL, releaseName: release.releaseName), expectedHash: release.imageHash,
            progress: progress
        ) { [parts] image in
            try await parts.removeDisk(record.diskNumber)
            try await parts.makeDisk(
                record.diskNumber, over: image, size: record.diskSize ?? DiskSize(bytes: image.virtualSize))
        }
        try ConsoleMark(layout: devhost.layout, name: record.name).remove()
    }
}
