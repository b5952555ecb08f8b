#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What becomes of a VM that nobody uses, by devhost.cfg.
struct CleanupRules: Sendable {
    let settings: Configuration.Cleanup

    /// All that is known of a VM for this.
    struct Case: Sendable {
        let record: VMRecord
        let use: UseRecord
        let notice: UseNotice?
        /// Whether it runs; nil where that is not known.
        let isActive: Bool?
    }

    private static let day: Double = 86400

    /// What is to be done now, by what the last look found. What cannot be judged is left alone.
    func due(_ vm: Case, now: Timestamp) -> CleanupAction? {
        guard vm.use.problem == nil, vm.use.look != nil else { return nil }
        return steps(vm, now: now).first { $0.wait <= 0 }?.action
    }

    /// What is to come, the next first, if nobody uses the VM from now on.
    func forecast(_ vm: Case, now: Timestamp, uptime: Uptime) -> [CleanupStep] {
        guard let look = vm.use.look else { return [] }
        // Time that has passed since the last look is going to count, where that could read all signs.
        let unseen = vm.use.problem == nil ? min(uptime.elapsed(since: look.uptime), UseRecord.longestGap) : 0
        return steps(vm, now: now).map { step in
            CleanupStep(
                action: step.action, date: Timestamp(now.date.addingTimeInterval(max(0, step.wait - unseen))))
        }
    }

    /// The steps that apply, with how many seconds of being unused are missing for each, the next first.
    private func steps(_ vm: Case, now: Timestamp) -> [(action: CleanupAction, wait: Double)] {
        if vm.record.trashed != nil {
            return [(.gone, Double(settings.trashDays) * Self.day - vm.use.trashed)]
        }
        guard vm.record.pin?.holds(at: now) != true, !vm.record.isIncomplete else { return [] }
        // An ensure that no look has seen yet.
        let isUsed = vm.record.lastDeployDate != vm.use.traces[.ensure]
        let idle = isUsed ? 0 : vm.use.idle
        var steps: [(action: CleanupAction, wait: Double)] = []
        if let days = settings.shutdownAfter, vm.isActive != false {
            steps.append((.suspend, Double(days) * Self.day - idle))
        }
        if let days = settings.deleteAfter {
            let end = Double(days) * Self.day
            let lead = Double(settings.noticeDays) * Self.day
            if let notice = vm.notice, !isUsed {
                steps.append((.trash, max(end, notice.idle + lead) - idle))
            } else {
                steps.append((.notice, end - lead - idle))
                steps.append((.trash, max(end - idle, lead)))
            }
        }
        return steps.enumerated().sorted { ($0.element.wait, $0.offset) < ($1.element.wait, $1.offset) }
            .map(\.element)
    }
}
