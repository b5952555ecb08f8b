extension Devhost {
    /// What ``publish(progress:)`` saw to.
    public struct PublishReport: Sendable, Encodable {
        /// The names that are published, sorted.
        public let names: [String]
        /// How many of them were not, or led elsewhere.
        public let added: Int
        /// How many names were withdrawn because no record has them.
        public let withdrawn: Int
        /// Whether Caddy was started, or took a new configuration.
        public let changedProxy: Bool
    }

    /// Publishes what the records say and nothing else, and sees to it that Caddy serves it.
    /// - Throws: `unsupported`, `invalidConfiguration`, `unavailable`, `failed`: with Caddy's words.
    public func publish(progress: @escaping ProgressHandler = { _ in }) async throws -> PublishReport {
        try await audited(.publish, progress: progress) {
            try makeLockFolder()
            let (added, stray) = try await publishAll { name in
                try await self.lock(name, verb: "publish", progress: progress)
            }
            let change = try await bringUpProxy(progress: progress)
            return PublishReport(
                names: try nameFolder.hosts(), added: added, withdrawn: stray, changedProxy: change != .nothing)
        }
    }

    var nameFolder: NameFolder { NameFolder(path: layout.publishedNames) }

    /// Publishes the names of one VM. Its lock must be held.
    package func publishNames(of record: VMRecord) throws {
        try nameFolder.publish(
            PublishedName.all(of: record, configuration.publish), owner: configuration.publish.host(record.name))
    }

    /// Withdraws the names of one VM. Its lock must be held.
    func withdrawNames(of name: VMName) throws { try nameFolder.withdraw(owner: configuration.publish.host(name)) }

    /// Sees to it that what is published is served, and the landing page is right. What fails costs a warning: the VM
    /// is fine without it, and the next verb tries again.
    package func serve(progress: ProgressHandler) async {
        do {
            try await followSettings()
            _ = try await bringUpProxy(progress: progress)
            try warnOfCertificateLimit(progress: progress)
        } catch {
            progress(.warning("what is published is not served: \(error)"))
        }
    }

    /// Writes the landing page, and sees to it that Caddy serves. Both under one lock: of two verbs that end together,
    /// the later one must not write the page that the earlier one saw.
    private func bringUpProxy(progress: ProgressHandler) async throws -> Proxy.Change {
        try makeLockFolder()
        let lock = try await FileLock.acquire(
            layout.proxyLock, holder: "the start of Caddy by \(caller.name.printable)", limit: configuration.lockLimit,
            clock: clock)
        defer { withExtendedLifetime(lock) {} }
        try await writeLandingPage()
        guard configuration.publish.proxy == .caddy else { return .nothing }
        let change = try await Proxy(publish: configuration.publish, layout: layout).bringUp()
        switch change {
        case .nothing: break
        case .loaded: progress(.notice("Caddy has a new configuration"))
        case .started: progress(.notice("Caddy is started"))
        }
        return change
    }

    /// The VM that a published name belongs to; nil for one that is no VM's.
    func owner(of host: String) -> VMName? {
        let suffix = ".\(configuration.publish.address)"
        guard host.hasSuffix(suffix) else { return nil }
        return try? VMName(String(host.dropLast(suffix.count).split(separator: ".").last ?? ""))
    }

    /// Writes the landing page and publishes its name, where devhost.cfg wants one.
    func writeLandingPage() async throws {
        let publish = configuration.publish
        guard publish.hasLandingPage else { return try nameFolder.withdraw(publish.address) }
        let states = try? await libvirt().domainStates()
        let entries = try records.readable().filter { !$0.isIncomplete && $0.trashed == nil }.map { record in
            LandingPage.Entry(record: record, state: states.map { $0[record.name] ?? .missing })
        }
        try Files.createDirectory(layout.landingPage, mode: 0o755)
        let html = Array(LandingPage(publish: publish, entries: entries).html.utf8)
        let path = "\(layout.landingPage)/index.html"
        if (try? Files.read(path)) != html { try Files.write(path, html, mode: 0o644) }
        try nameFolder.publish(
            PublishedName(
                host: publish.address, access: LandingPage.isGuarded(publish) ? .private : .open, target: .page))
    }
}
