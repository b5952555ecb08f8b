#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Devhost {
    /// Looks for signs of use, and does with VMs that nobody uses what devhost.cfg says: suspends them, tells their
    /// owners, puts them into the trash, and destroys what has been there for long enough. One VM that fails does not keep
    /// the others.
    /// - Returns: What was done; nil where another process is at it.
    /// - Throws: `unavailable`, `permissionDenied`, `busy`.
    public func cleanUp(progress: @escaping ProgressHandler = { _ in }) async throws -> CleanupReport? {
        try await audited(.cleanUp, object: "VMs", progress: progress) { try await cleanUpVMs(progress: progress) }
    }

    private func cleanUpVMs(progress: @escaping ProgressHandler) async throws -> CleanupReport? {
        guard let lock = try await lockIfFree(layout.cleanupLock, verb: "cleanup") else { return nil }
        defer { withExtendedLifetime(lock) {} }
        let collecting = try await FileLock.acquire(
            layout.collectLock, holder: "'cleanup' of \(caller.name.printable)", limit: configuration.lockLimit,
            clock: clock
        ) { progress(.notice("waiting for \($0)")) }
        defer { withExtendedLifetime(collecting) {} }
        do {
            try forgetOldFailures()
        } catch {
            progress(.warning("cannot forget old failures: \(error)"))
        }
        let libvirt = try await self.libvirt()
        let seen = try await lookAtAll(libvirt, progress: progress)
        var report = CleanupReport(kept: seen.problems, failures: seen.failures)
        for record in try records.readable() {
            do {
                try await cleanUp(record.name, libvirt, &report, progress: progress)
            } catch {
                report.failures.append("\(record.name): \(error)")
            }
        }
        return report
    }

    /// Removes base images that nobody uses, as devhost.cfg says ([images]).
    /// - Returns: What was removed; nil where another process cleans up.
    /// - Throws: What ``pruneImages(olderThanDays:budget:isDryRun:)`` throws.
    public func cleanUpImages() async throws -> ImagePruneReport? {
        try await audited(.cleanUp, object: "images") {
            guard let lock = try await lockIfFree(layout.cleanupLock, verb: "cleanup") else { return nil }
            defer { withExtendedLifetime(lock) {} }
            return try await removeUnusedImages(
                olderThanDays: configuration.imageKeepDays, budget: configuration.imageBudget, isDryRun: false)
        }
    }

    /// What ``cleanUp(progress:)`` would do now, by what the last looks saw. Nothing is changed.
    public func planCleanUp() async throws -> CleanupReport {
        let states = try await libvirt().domainStates()
        var report = CleanupReport()
        let now = Timestamp(clock.now)
        for record in try records.readable() {
            let use = use(of: record, state: states[record.name] ?? .missing)
            if let problem = use.problem { report.kept[record.name.description] = problem }
            for step in use.next where step.date <= now && use.problem == nil {
                // The owner has been told before a VM goes.
                report.steps.append(
                    CleanupReport.Step(
                        name: record.name, owner: record.owner, action: step.action, lastUse: use.lastUse))
            }
        }
        return report
    }

    private func cleanUp(
        _ name: VMName, _ libvirt: Connection, _ report: inout CleanupReport, progress: @escaping ProgressHandler
    ) async throws {
        if let record = try records.find(name), record.trashed != nil, try await isUnsettled(record, libvirt) {
            // Somebody may have had it back while the lock was waited for.
            _ = try await moveToTrash(name, where: { $0.trashed != nil }, progress: progress)
        }
        let rules = CleanupRules(settings: configuration.cleanup)
        func due() async throws -> (CleanupAction, CleanupRules.Case)? {
            guard let record = try records.find(name) else { return nil }
            let (use, damage) = useStore.read(name)
            // A shutdown that was cut off is completed.
            let isHalfDown = use.isPutToRest && record.isOnline != false
            let vm = CleanupRules.Case(
                record: record, use: use, notice: try useStore.notice(name),
                isActive: try await libvirt.domainState(name).isActive || isHalfDown)
            guard damage == nil else { return nil }
            return rules.due(vm, now: Timestamp(clock.now)).map { ($0, vm) }
        }
        // Each step is made once at the most.
        var done: Set<CleanupAction> = []
        while let (action, _) = try await due(), !done.contains(action) {
            // Looked at again, because others took their time.
            guard try await UseLook(devhost: self, libvirt: libvirt).look(at: name) != nil,
                let (again, vm) = try await due(), again == action
            else { return }
            guard let made = try await perform(action, vm, libvirt, progress: progress) else { return }
            done.insert(action)
            report.steps.append(
                CleanupReport.Step(name: name, owner: vm.record.owner, action: made, lastUse: vm.use.lastUse))
        }
    }

    /// Makes one step, and tells the hook.
    /// - Returns: What was made; nil where the VM was used or changed in the last moment.
    private func perform(
        _ action: CleanupAction, _ vm: CleanupRules.Case, _ libvirt: Connection, progress: @escaping ProgressHandler
    ) async throws -> CleanupAction? {
        let name = vm.record.name
        var made = action
        func isUnchanged() throws -> Bool {
            guard try records.find(name) == vm.record else { return false }
            // What commands noted before a move to the trash is taken up by no look any more.
            return try vm.record.trashed != nil
                || (try useStore.traces(of: name)).allSatisfy { vm.use.traces[$0.key] == $0.value }
        }
        var date: Timestamp?
        var text: String?
        switch action {
        case .suspend, .shutdown:
            let rest = try await putToRest(name, vm.use, where: isUnchanged, progress: progress)
            guard let rest else { return nil }
            made = rest
        case .notice:
            let notice = makeNotice(vm)
            date = notice.date
            text = notice.text(name)
            // First told, then noted: told twice after a crash in between rather than never.
            await tellHook(action, vm, date: date, text: text, progress: progress)
            try useStore.write(notice, of: name)
            if vm.isActive == true { await show(notice, vm.record, libvirt, progress: progress) }
            return action
        case .trash:
            guard try await moveToTrash(name, where: { _ in try isUnchanged() }, progress: progress) else {
                return nil
            }
        case .gone:
            guard try await destroy(name, where: { try isUnchanged() }, progress: progress) else { return nil }
        }
        await tellHook(made, vm, date: date, text: text, progress: progress)
        return made
    }

    /// What clean-up does first with a VM that nobody uses: it keeps its memory on disk, so that nothing is lost, and
    /// shuts it down where that cannot be done. Neither is taken for a use of the VM.
    /// - Parameter isUnchanged: Asked under the VM's lock whether nobody has come to use it meanwhile.
    /// - Returns: Which of the two; nil for neither.
    private func putToRest(
        _ name: VMName, _ use: UseRecord, where isUnchanged: () throws -> Bool, progress: @escaping ProgressHandler
    ) async throws -> CleanupAction? {
        func isStillDue() throws -> Bool {
            guard try isUnchanged() else { return false }
            var use = use
            use.isPutToRest = true
            try useStore.write(use, of: name)
            return true
        }
        do {
            return try await suspend(name, where: isStillDue, progress: progress) == nil ? nil : .suspend
        } catch {
            // It would be shut down for nothing: that fails alike, or somebody is at it.
            let others: [DevhostError.Code] = [.busy, .unavailable, .permissionDenied, .notFound]
            if error is CancellationError || (error as? DevhostError).map({ others.contains($0.code) }) == true {
                throw error
            }
            progress(.notice("\(name) is shut down: \(error)"))
            return try await shutDown(name, where: isStillDue, progress: progress) == nil ? nil : .shutdown
        }
    }

    private func makeNotice(_ vm: CleanupRules.Case) -> UseNotice {
        let day: Double = 86400
        let lead = Double(configuration.cleanup.noticeDays) * day
        let end = configuration.cleanup.deleteAfter.map { Double($0) * day } ?? vm.use.idle
        let date = clock.now.addingTimeInterval(max(end - vm.use.idle, lead))
        return UseNotice(
            owner: vm.record.owner, lastUse: vm.use.lastUse, date: Timestamp(date), idle: vm.use.idle)
    }

    /// Shows a notice to whoever logs in. What fails is tried again at the next look.
    private func show(
        _ notice: UseNotice, _ record: VMRecord, _ libvirt: Connection, progress: ProgressHandler
    ) async {
        do {
            _ = try await useSources.lastLogin(record, libvirt, notice: notice.text(record.name))
        } catch {
            progress(.warning("\(record.name) does not show its notice yet: \(error)"))
        }
    }

    private func tellHook(
        _ action: CleanupAction, _ vm: CleanupRules.Case, date: Timestamp?, text: String?, progress: ProgressHandler
    ) async {
        let step = CleanupReport.Step(
            name: vm.record.name, owner: vm.record.owner, action: action, lastUse: vm.use.lastUse)
        let event = CleanupHook.Event(
            event: action, name: vm.record.name, owner: vm.record.owner, lastUse: vm.use.lastUse, date: date,
            text: text ?? step.text)
        await CleanupHook(settings: configuration.cleanup).tell(event, progress: progress)
    }

    /// Whether a move to the trash was cut off.
    func isUnsettled(_ record: VMRecord, _ libvirt: Connection) async throws -> Bool {
        if try await libvirt.domainState(record.name).isActive { return true }
        let addresses = [record.ipv4?.description, record.ipv6?.description].compactMap(\.self)
        if try hostsFile.holds(record.name, addresses: addresses), !addresses.isEmpty { return true }
        let hosts = Set(PublishedName.all(of: record, configuration.publish).map(\.host))
        return try !hosts.isDisjoint(with: nameFolder.hosts())
    }
}
