/// The start of a new VM from a template: chooses one, gives the VM its disk, and lets it go on from its memory.
struct WarmStart: Sendable {
    let devhost: Devhost
    let libvirt: Connection
    let name: VMName
    let progress: ProgressHandler

    /// A template that fits, with its overlay, which is nil on the mock.
    struct Choice: Sendable {
        let key: String
        let record: TemplateRecord
        let overlay: TemplateOverlay?
        let memory: TemplateMemory
    }

    /// How often in a row VMs may fail to answer before their template goes.
    static let mostFailures = 3
    private var store: TemplateStore { TemplateStore(layout: devhost.layout) }

    /// The template for a VM; nil where there is none. One that cannot be used any more is removed, and a warning says
    /// so.
    /// - Parameter definition: What the VM is to be like, asked for where there is a template.
    func choose(
        _ image: SHA256Digest, _ shape: MachineShape, definition: () async throws -> DomainDefinition
    ) async throws -> Choice? {
        let key = try TemplateRecord.key(image, shape)
        guard let record = store.record(key) else { return nil }
        let host = TemplateHost(devhost: devhost, libvirt: libvirt)
        let problem = try host.problem(
            of: key, record, on: try await host.properties(), as: try await definition())
        if let problem {
            try await discard(key, because: problem)
            return nil
        }
        // The mock has no memory.
        let available = libvirt.driver == .test ? .max : try await libvirt.availableMemory()
        guard available > UInt64(shape.memory.mebibytes) << 20 else {
            progress(
                .warning("\(name) boots cold: \(available >> 20) MiB of memory are left, too few to start warm"))
            return nil
        }
        do {
            // The volumes of the mock are no files.
            let overlay =
                libvirt.driver == .test
                ? nil
                : try TemplateOverlay("\(devhost.layout.templates)/\(devhost.layout.templateDisk(key))", record)
            let memory = try TemplateMemory(devhost.layout.templateMemory(key))
            return Choice(key: key, record: record, overlay: overlay, memory: memory)
        } catch let error as DevhostError {
            try await discard(key, because: error.message)
            return nil
        }
    }

    /// Starts a VM that is defined and off, whose disk is a copy of the template's overlay. Its guest stands still, and its
    /// network card has no link.
    /// - Returns: Whether it is there: a warning says why it is not.
    func start(_ choice: Choice, _ definition: DomainDefinition) async throws -> Bool {
        var unconnected = definition
        unconnected.isConnected = false
        let outcome: TemplateMemory.Outcome
        do {
            let path = devhost.layout.memoryPipe(name)
            outcome = try await choice.memory.start(name, xml: try unconnected.rendered(), through: path, libvirt)
        } catch let error as DevhostError {
            try await discard(choice.key, because: error.message)
            return false
        }
        guard outcome.digest == choice.record.memoryDigest else {
            try await libvirt.killDomain(name)
            try await discard(choice.key, because: "its memory is not what was saved")
            return false
        }
        if let failure = outcome.failure {
            try await fail(choice.key, because: "\(failure)")
            return false
        }
        return true
    }

    /// Waits for a place among the VMs that come up from templates at a time: as many as the host has processors. More
    /// would only make each other late, and those that are too late boot.
    /// - Returns: The place, held until it is let go; nil where none became free for long.
    func place() async throws -> FileLock? {
        let places = try await libvirt.node().cpus
        let start = devhost.clock.monotonic
        while true {
            for number in 0..<places {
                let path = devhost.layout.warmStartPlace(number)
                if let lock = try await devhost.lockIfFree(path, verb: "ensure \(name)") { return lock }
            }
            guard devhost.clock.monotonic - start < devhost.configuration.startLimit else { return nil }
            try await devhost.clock.sleep(for: .milliseconds(50))
        }
    }

    /// Notes that a VM started from a template.
    func noteUse(of key: String) async throws {
        let now = Timestamp(devhost.clock.now)
        try await devhost.withTemplateNotes {
            try store.update(key) { record in
                record.uses += 1
                record.failures = 0
                record.lastUse = now
            }
        }
    }

    /// Notes that a start from a template failed, which may have been the host's doing.
    func fail(_ key: String, because reason: String) async throws {
        var failures = 0
        let now = Timestamp(devhost.clock.now)
        try await devhost.withTemplateNotes {
            try store.update(key) { record in
                record.noteFailure(at: now)
                failures = record.failures
            }
        }
        progress(.warning("\(name) boots cold, as its warm start failed: \(reason)"))
        if failures >= Self.mostFailures {
            try await devhost.discardTemplate(key)
            progress(.warning("the template \(key) is removed: \(failures) times in a row VMs did not start from it"))
        }
    }

    /// Removes a template that cannot be used.
    func discard(_ key: String, because problem: String) async throws {
        try await devhost.discardTemplate(key)
        progress(.warning("\(name) boots cold: the template \(key) is removed, \(problem)"))
    }
}
