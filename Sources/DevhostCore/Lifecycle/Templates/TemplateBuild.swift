import Glibc

/// The making of one template: a system that boots without an identity, waits for one, and is saved while it waits.
struct TemplateBuild: Sendable {
    let devhost: Devhost
    let libvirt: Connection
    let image: BaseImage
    let shape: MachineShape
    let progress: ProgressHandler

    /// What a guest says on its console when it waits for an identity (docs/images.md).
    static let readyWord = "fc-warm-start: the template is ready"
    /// What a guest says that has booted to its end instead.
    private static let loginWord = "login:"
    /// The memory that the host has to have left beside the template's own, in bytes.
    private static let spareMemory: UInt64 = 256 << 20

    private var layout: Layout { devhost.layout }
    private var pool: String { HostPreparation.templatePool(devhost.configuration.network) }
    private var host: TemplateHost { TemplateHost(devhost: devhost, libvirt: libvirt) }

    /// Makes the template, in place of one that there is. The lock of the template and that of the image must be held.
    /// - Throws: `refused` for a shape that devhost.cfg gives no template, `insufficientSpace`, `unsupported` for an image
    ///   that does not wait, `timedOut`, `guestFailed`. Nothing is left then.
    func perform(_ key: String) async throws -> TemplateRecord {
        try await checkRoom()
        try await devhost.removeTemplateFiles(key, libvirt)
        do {
            try await devhost.claimTemplate(key, shape, libvirt)
            let machine = try await makeMachine(key)
            let console = layout.templateConsole(key)
            progress(.step("booting the template \(key)"))
            try await libvirt.startTransientDomain(machine.name, xml: try machine.rendered())
            try await waitUntilReady(console, machine.name)
            progress(.step("saving the template \(key)"))
            try await libvirt.saveTransientDomain(machine.name, to: layout.templateMemory(key))
            let record = try await describe(key, machine)
            try await libvirt.deleteVolume(pool: pool, name: layout.templateFirstBoot(key))
            try Files.remove(console)
            try Files.remove(layout.templateClaim(key))
            try TemplateStore(layout: layout).write(record, key)
            return record
        } catch {
            try? await devhost.removeTemplateFiles(key, libvirt)
            throw error
        }
    }

    private func checkRoom() async throws {
        let most = devhost.configuration.warmStart.maximumMemory
        guard shape.memory <= most else {
            throw DevhostError(
                .refused, "a template of \(shape) would need more memory than \(most)",
                next: "raise max-memory in [warm-start] of devhost.cfg")
        }
        guard libvirt.driver != .test else { return }
        let memory = UInt64(shape.memory.mebibytes) << 20
        let available = try await libvirt.availableMemory()
        guard available >= memory + Self.spareMemory else {
            throw DevhostError(
                .insufficientSpace,
                "a template of \(shape) does not fit into the \(available >> 20) MiB of memory left",
                next: "shut down or suspend what nobody needs, then try again")
        }
        try FreeSpace.require([(layout.templates, memory)], for: "the template")
    }

    private func makeMachine(_ key: String) async throws -> DomainDefinition {
        var machine = try await host.machine(shape, over: image.sha256, progress: progress)
        machine.isInBackground = true
        machine.isConnected = false
        machine.name = layout.templateDomain(key)
        machine.uuid = try SHA256Hasher.digest(Array(machine.name.utf8)).uuid
        machine.diskPath = "\(layout.templates)/\(layout.templateDisk(key))"
        machine.firstBootPath = "\(layout.templates)/\(layout.templateFirstBoot(key))"
        machine.consoleLogPath = layout.templateConsole(key)
        let disk = VolumeDefinition(
            name: layout.templateDisk(key), format: .qcow2, capacity: image.virtualSize, mode: "0600",
            backing: image.path)
        try await libvirt.createVolume(pool: pool, name: disk.name, xml: disk.rendered)
        try await libvirt.makeVolume(pool: pool, name: layout.templateFirstBoot(key), content: FirstBoot.template())
        return machine
    }

    private func waitUntilReady(_ console: String, _ domain: String) async throws {
        // The mock has no guests.
        guard libvirt.driver != .test else { return }
        let clock = devhost.clock
        let limit = devhost.configuration.startLimit
        let start = clock.monotonic
        while true {
            let text = (try? Files.tail(console, bytes: 1 << 16)) ?? ""
            if text.contains(Self.readyWord) { return }
            if text.contains(Self.loginWord) {
                throw DevhostError(
                    .unsupported, "VMs of the image \(image.sha256) cannot start warm: it boots without waiting",
                    next: "nothing has to be done, they boot cold; docs/images.md says what an image needs")
            }
            let elapsed = clock.monotonic - start
            guard try await libvirt.isTransientDomainActive(domain), !text.contains("Kernel panic") else {
                throw failure(.guestFailed, "the template stopped while it booted", text)
            }
            guard elapsed < limit else {
                throw failure(.timedOut, "the template did not boot within \(limit.components.seconds) s", text)
            }
            try await clock.sleep(for: .milliseconds(200))
        }
    }

    private func failure(_ code: DevhostError.Code, _ message: String, _ console: String) -> DevhostError {
        let lines = console.printableLines.split(whereSeparator: \.isNewline).suffix(20)
        return DevhostError(
            code, message, details: "its console ends with:\n  " + lines.joined(separator: "\n  "))
    }

    private func describe(_ key: String, _ machine: DomainDefinition) async throws -> TemplateRecord {
        let memory = layout.templateMemory(key)
        var disk: (digest: SHA256Digest, size: UInt64) = (try SHA256Hasher.digest([]), 0)
        if libvirt.driver != .test { disk = try await digest(machine.diskPath) }
        let saved = try await digest(memory)
        return TemplateRecord(
            image: image.sha256, cpus: shape.cpus, memory: shape.memory,
            host: try await host.description(of: machine), memoryDigest: saved.digest, memorySize: saved.size,
            diskDigest: disk.digest, diskSize: disk.size, created: Timestamp(devhost.clock.now))
    }

    /// The digest and the size of a file, which is on the disk when this returns.
    private func digest(_ path: String) async throws -> (digest: SHA256Digest, size: UInt64) {
        try await Blocking.run {
            let file = try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW)
            let digest = try file.digest(path: path)
            try file.synchronize(path: path)
            return (digest, try file.size(path: path))
        }
    }
}
