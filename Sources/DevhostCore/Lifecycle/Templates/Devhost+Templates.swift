extension Devhost {
    /// The templates that new VMs start from, the one used last first.
    public func templates() async throws -> [Template] {
        let libvirt = try await self.libvirt()
        let records = try templateStore.records()
        if records.isEmpty { return [] }
        let host = TemplateHost(devhost: self, libvirt: libvirt)
        let properties = try await host.properties()
        var templates: [Template] = []
        for (key, record) in records {
            let problem: String?
            do {
                let machine = try await host.machine(record.shape, over: record.image) { _ in }
                problem = try host.problem(of: key, record, on: properties, as: machine)
            } catch {
                problem = "\(error)"
            }
            templates.append(Template(key, record, problem: problem))
        }
        return templates.sorted { ($1.lastNeeded, $0.name) < ($0.lastNeeded, $1.name) }
    }

    /// Makes the template of an image and a shape, in place of one that there is. It boots a system for that.
    /// - Parameters:
    ///   - source: The image.
    ///   - shape: What VMs have to be like to start from it.
    /// - Throws: `refused` where devhost.cfg gives no template, `notFound` for an image that is not in the store,
    ///   `unsupported` for one that cannot start warm, `insufficientSpace`, `busy`, `timedOut`, `guestFailed`, and what
    ///   `ReleaseResolver.resolve(_:)` and `ImageStore.withImage(_:expectedHash:progress:_:)` throw.
    @discardableResult
    public func buildTemplate(
        of source: TemplateSource, shape: MachineShape, progress: @escaping ProgressHandler = { _ in }
    ) async throws -> Template {
        try await audited(.buildTemplate, object: "\(shape)", progress: progress) {
            try await makeTemplate(of: source, shape: shape, progress: progress)
        }
    }

    private func makeTemplate(
        of source: TemplateSource, shape: MachineShape, progress: @escaping ProgressHandler
    ) async throws -> Template {
        guard configuration.warmStart.isEnabled else {
            throw DevhostError(
                .refused, "no templates are made on this devhost",
                next: "set enabled = yes in [warm-start] of devhost.cfg")
        }
        let libvirt = try await self.libvirt()
        try await HostPreparation(devhost: self, libvirt: libvirt).prepare()
        try await HostPreparation(devhost: self, libvirt: libvirt).prepareTemplatePool()
        let store = imageStore(libvirt, for: "'templates build'")
        let body: @Sendable (BaseImage) async throws -> Template = { image in
            let place = try await templatePlace()
            defer { withExtendedLifetime(place) {} }
            let key = try TemplateRecord.key(image.sha256, shape)
            let lock = try await FileLock.acquire(
                layout.templateLock(key), holder: "'templates build' of \(caller.name.printable)",
                limit: configuration.lockLimit, clock: clock
            ) { progress(.notice("waiting for \($0)")) }
            defer { withExtendedLifetime(lock) {} }
            let build = TemplateBuild(
                devhost: self, libvirt: libvirt, image: image, shape: shape, progress: progress)
            return Template(key, try await build.perform(key), problem: nil)
        }
        let template: Template
        switch source {
        case .stored(let text):
            let digest = try await store.digest(beginning: text)
            template = try await store.withStoredImage(digest, progress: progress, body)
        case .release(let reference):
            let release = try await releases.resolve(reference)
            template = try await store.withImage(
                ImageSource(url: release.imageURL, releaseName: release.releaseName),
                expectedHash: release.imageHash, progress: progress, body)
        }
        try await collectTemplates(keeping: template.name, progress: progress)
        return template
    }

    /// Removes a template.
    /// - Returns: Whether there was one.
    /// - Throws: `busy` for one that is being made.
    @discardableResult
    public func removeTemplate(_ name: TemplateName) async throws -> Bool {
        try await audited(.removeTemplate, object: name.description) {
            guard try templateStore.keys().contains(name.description) else { return false }
            guard try await discardTemplate(name.description) else {
                throw DevhostError(
                    .busy, "the template \(name) is being made",
                    next: "try again when 'fc-devhost templates build' has ended")
            }
            return true
        }
    }

    /// Makes the templates that devhost.cfg asks for and that are missing ([warm-start] shapes), one after the other, and
    /// removes those that cannot be used any more.
    /// - Returns: What was made.
    public func buildWantedTemplates(progress: @escaping ProgressHandler = { _ in }) async throws -> [Template] {
        guard Files.isDirectory(layout.templates) else { return [] }
        try await collectTemplates(progress: progress)
        let settings = configuration.warmStart
        guard settings.isEnabled else { return [] }
        let demand = templateDemand
        let wanted = demand.wanted(
            settings.shapes, maximumMemory: settings.maximumMemory, now: Timestamp(clock.now))
        var built: [Template] = []
        // What the most wanted ones leave of max-disk: one that pushed out another would be made again each time.
        var room = settings.maximumDisk
        for (image, shape) in wanted where !demand.unfit.contains(image) {
            if let record = templateStore.record(try TemplateRecord.key(image, shape)) {
                room -= min(room, record.size)
                continue
            }
            // Most of it is memory, which is never larger than this.
            guard room >= UInt64(shape.memory.mebibytes) << 20 else {
                progress(
                    .notice(
                        "no template of \(shape) is made: max-disk in [warm-start] of devhost.cfg has no room for it"))
                continue
            }
            do {
                let template = try await buildTemplate(
                    of: .stored(image.description), shape: shape, progress: progress)
                room -= min(room, template.size)
                built.append(template)
            } catch let error as DevhostError where error.code == .unsupported {
                try await noteDemand { $0.noteUnfit(image) }
                progress(.notice("\(error)"))
            } catch let error as DevhostError where [.guestFailed, .timedOut].contains(error.code) {
                try await noteDemand { $0.forget(image) }
                progress(.warning("no template of \(shape) is made: \(error)"))
            } catch let error as DevhostError where [.busy, .insufficientSpace, .notFound].contains(error.code) {
                progress(.notice("no template of \(shape) is made: \(error)"))
            }
        }
        return built
    }

    // MARK: What other verbs need

    var templateStore: TemplateStore { TemplateStore(layout: layout) }

    /// What new VMs were made of lately.
    var templateDemand: TemplateDemand {
        guard let content = try? Files.read(layout.templateDemand, limit: 1 << 20) else { return TemplateDemand() }
        return (try? JSONCoding.decode(TemplateDemand.self, from: content)) ?? TemplateDemand()
    }

    /// Changes the note of what new VMs are made of.
    func noteDemand(_ change: (inout TemplateDemand) -> Void) async throws {
        try await withTemplateNotes {
            var demand = templateDemand
            change(&demand)
            try Files.createDirectory(layout.templates, mode: 0o711)
            try Files.write(layout.templateDemand, try JSONCoding.encode(demand), mode: 0o600)
        }
    }

    /// Runs a body that changes what is noted of templates.
    func withTemplateNotes<Result>(_ body: () throws -> Result) async throws -> Result {
        try makeLockFolder()
        let lock = try await FileLock.acquire(
            layout.templateNotesLock, holder: "a note of \(caller.name.printable)", limit: configuration.lockLimit,
            clock: clock)
        defer { withExtendedLifetime(lock) {} }
        return try body()
    }

    /// Removes all that there is of a template, unless it is being made.
    /// - Returns: Whether it is gone.
    @discardableResult
    func discardTemplate(_ key: String) async throws -> Bool {
        guard let lock = try await lockIfFree(layout.templateLock(key), verb: "templates") else { return false }
        defer { withExtendedLifetime(lock) {} }
        try await removeTemplateFiles(key, try await libvirt())
        return true
    }

    /// Removes all that there is of a template, also of one that a process was making when it ended. Its lock must be
    /// held.
    func removeTemplateFiles(_ key: String, _ libvirt: Connection) async throws {
        try Files.remove(layout.templateRecord(key))
        try await libvirt.killTransientDomain(layout.templateDomain(key))
        let pool = HostPreparation.templatePool(configuration.network)
        if try await libvirt.isPoolActive(pool) {
            for volume in [layout.templateDisk(key), layout.templateFirstBoot(key)] {
                try await libvirt.deleteVolume(pool: pool, name: volume)
            }
        }
        try templateStore.remove(key)
    }

    /// Removes templates that cannot be used, those whose image is gone, and what a process left that was making one;
    /// then those that were not used for longest, until all fit max-disk.
    /// - Parameter kept: One that stays whatever it takes.
    func collectTemplates(keeping kept: String? = nil, progress: ProgressHandler) async throws {
        let libvirt = try await self.libvirt()
        var complete: [Template] = []
        for template in try await templates() {
            // The volumes of the mock are no files.
            let hasImage = libvirt.driver == .test || Files.exists("\(layout.images)/\(template.image).qcow2")
            if template.problem == nil && hasImage {
                complete.append(template)
            } else {
                try await discardTemplate(template.name)
            }
        }
        let known = Set(complete.map(\.name))
        for key in try await templateLeftovers(libvirt) where !known.contains(key) { try await discardTemplate(key) }
        for template in Template.beyond(configuration.warmStart.maximumDisk, complete) where template.name != kept {
            if try await discardTemplate(template.name) {
                progress(.notice("the template \(template.name) is removed: all together are larger than max-disk"))
            }
        }
    }

    /// Removes the templates of images that are gone.
    func removeTemplates(of images: Set<SHA256Digest>) async throws {
        for (key, record) in try templateStore.records() where images.contains(record.image) {
            try await discardTemplate(key)
        }
    }

    /// The names of templates of which there are files or a domain and that are neither complete nor being made.
    func templateLeftovers(_ libvirt: Connection) async throws -> [String] {
        let prefix = layout.templateDomain("")
        let ofDomains = try await libvirt.activeDomains(prefix: prefix).map { String($0.dropFirst(prefix.count)) }
        let ofFiles = try templateStore.keys().filter { templateStore.record($0) == nil }
        return Set(ofDomains.filter(TemplateStore.isKey) + ofFiles).sorted()
            .filter { !FileLock.isHeld(layout.templateLock($0)) }
    }
}
