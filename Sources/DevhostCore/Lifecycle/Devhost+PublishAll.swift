extension Devhost {
    /// What of devhost.cfg every published name follows.
    private var publishedSettings: [UInt8] {
        Array("public-address = \(configuration.publish.address)\nprivate = \(configuration.publish.isPrivate)\n".utf8)
    }

    /// Publishes all VMs anew where devhost.cfg has changed since that was last done. VMs that another verb, or this
    /// one, holds are left out: waiting for them here could be waiting for each other. The next verb looks again.
    func followSettings() async throws {
        if (try? Files.read(layout.publishedSettings)) == publishedSettings { return }
        _ = try await publishAll { name in
            do {
                return try await FileLock.acquire(
                    layout.lock(name), holder: "'publish \(name)' of \(caller.name.printable)", limit: .zero,
                    clock: clock)
            } catch let error as DevhostError where error.code == .busy {
                return nil
            }
        }
    }

    /// Publishes what the records say and nothing else, and notes the settings that it followed once all of it is done.
    /// - Parameter lock: Takes a VM's lock; nil leaves the VM as it is.
    /// - Returns: How many names were missing or led elsewhere, and how many were withdrawn.
    func publishAll(lock: (VMName) async throws -> FileLock?) async throws -> (added: Int, withdrawn: Int) {
        var wanted: Set<String> = configuration.publish.hasLandingPage ? [configuration.publish.address] : []
        var added = 0
        var isComplete = true
        let owners = Dictionary(grouping: try nameFolder.hosts(), by: owner(of:))
        for record in try records.readable() where record.trashed == nil {
            let names = PublishedName.all(of: record, configuration.publish)
            wanted.formUnion(names.map(\.host))
            // Looked at without the lock of each VM: whoever holds it publishes too.
            let missing = try names.count { try !nameFolder.isPublished($0) }
            let others = (owners[record.name] ?? []).count - names.count + missing
            if missing == 0, others == 0 { continue }
            guard let lock = try await lock(record.name) else {
                isComplete = false
                continue
            }
            defer { withExtendedLifetime(lock) {} }
            added += missing
            // It may have been destroyed while this waited.
            if let record = try records.find(record.name), record.trashed == nil { try publishNames(of: record) }
        }
        let withdrawn = try await withdrawStrays(keeping: wanted, isComplete: &isComplete, lock: lock)
        if isComplete, (try? Files.read(layout.publishedSettings)) != publishedSettings {
            try Files.createDirectory(layout.publishing, mode: 0o755)
            try Files.writeAtomically(layout.publishedSettings, publishedSettings, mode: 0o644)
        }
        return (added, withdrawn)
    }

    /// Withdraws what no record has: names of VMs whose record was removed by hand, or of another public address.
    private func withdrawStrays(
        keeping wanted: Set<String>, isComplete: inout Bool, lock: (VMName) async throws -> FileLock?
    ) async throws -> Int {
        var count = 0
        for host in try nameFolder.hosts() where !wanted.contains(host) {
            // A VM that was made meanwhile keeps its names.
            if let name = owner(of: host) {
                guard let lock = try await lock(name) else {
                    isComplete = false
                    continue
                }
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
}
