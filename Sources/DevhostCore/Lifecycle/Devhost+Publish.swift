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
        try makeLockFolder()
        var wanted: Set<String> = []
        var added = 0
        let present = try nameFolder.hosts()
        let owners = Dictionary(grouping: present, by: owner(of:))
        for record in try records.readable() where record.trashed == nil {
            let names = PublishedName.all(of: record, configuration.publish)
            wanted.formUnion(names.map(\.host))
            // Looked at without the lock of each VM: whoever holds it publishes too.
            let missing = try names.count { try !nameFolder.isPublished($0) }
            let others = (owners[record.name] ?? []).count - names.count + missing
            if missing == 0, others == 0 { continue }
            added += missing
            let lock = try await lock(record.name, verb: "publish", progress: progress)
            defer { withExtendedLifetime(lock) {} }
            // It may have been destroyed while this waited.
            if let record = try records.find(record.name), record.trashed == nil { try publishNames(of: record) }
        }
        if configuration.publish.hasLandingPage { wanted.insert(configuration.publish.address) }
        let stray = try await withdrawStrays(keeping: wanted, progress: progress)
        try await writeLandingPage()
        let change = try await bringUpProxy(progress: progress)
        return PublishReport(
            names: try nameFolder.hosts(), added: added, withdrawn: stray, changedProxy: change != .nothing)
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
            try await writeLandingPage()
            _ = try await bringUpProxy(progress: progress)
            try warnOfCertificateLimit(progress: progress)
        } catch {
            progress(.warning("what is published is not served: \(error)"))
        }
    }

    private func bringUpProxy(progress: ProgressHandler) async throws -> Proxy.Change {
        guard configuration.publish.proxy == .caddy else { return .nothing }
        let lock = try await FileLock.acquire(
            layout.proxyLock, holder: "the start of Caddy by \(caller.name.printable)", limit: configuration.lockLimit,
            clock: clock)
        defer { withExtendedLifetime(lock) {} }
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

    /// Withdraws what no record has: names of VMs whose record was removed by hand, or of another public address.
    private func withdrawStrays(keeping wanted: Set<String>, progress: @escaping ProgressHandler) async throws -> Int {
        var count = 0
        for host in try nameFolder.hosts() where !wanted.contains(host) {
            // A VM that was made meanwhile keeps its names.
            if let name = owner(of: host) {
                let lock = try await lock(name, verb: "publish", progress: progress)
                defer { withExtendedLifetime(lock) {} }
                let record = try? records.find(name)
                let isThere = record?.trashed == nil
                let names = isThere ? record.map { PublishedName.all(of: $0, configuration.publish) } ?? [] : []
                if names.contains(where: { $0.host == host }) { continue }
                // A record that cannot be read says nothing about its names.
                if record == nil, Files.exists(layout.record(name)) { continue }
                try nameFolder.withdraw(host)
            } else {
                try nameFolder.withdraw(host)
            }
            count += 1
        }
        return count
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
