/// What a look for signs of use saw.
public struct CollectReport: Sendable, Hashable, Encodable {
    /// How many VMs were looked at.
    public internal(set) var looked = 0
    /// The VMs of which not all signs could be read, with the reason: they are kept.
    public internal(set) var problems: [String: String] = [:]
    /// What could not be looked at, and why.
    public internal(set) var failures: [String] = []
}

extension Devhost {
    /// Looks for signs of use of every VM, and keeps what was seen when. What the devhost does by itself is no sign:
    /// the probe of `ensure` and `wait`, what `doctor` does, this look.
    /// - Returns: What was seen; nil where another process is at it.
    /// - Throws: `unavailable`, `permissionDenied`.
    public func collectSigns(progress: @escaping ProgressHandler = { _ in }) async throws -> CollectReport? {
        try await audited(.collect, progress: progress) {
            guard let lock = try await lockIfFree(layout.collectLock, verb: "collect") else { return nil }
            defer { withExtendedLifetime(lock) {} }
            return try await lookAtAll(try await libvirt(), progress: progress)
        }
    }

    /// What the look at one VM saw; nil where the VM is gone meanwhile.
    private struct Outcome: Sendable {
        let name: VMName
        let result: Result<UseRecord?, any Error>
    }

    /// How many guests are asked at once: each waits for the network more than for the processor.
    private static let guestsAtOnce = 8

    func lookAtAll(_ libvirt: Connection, progress: ProgressHandler) async throws -> CollectReport {
        let look = try await UseLook(devhost: self, libvirt: libvirt)
        let names = try records.readable().map(\.name)
        progress(.step("looking at \(names.count) VMs"))
        var report = CollectReport()
        await withTaskGroup(of: Outcome.self) { group in
            func take(_ outcome: Outcome) {
                switch outcome.result {
                case .success(nil): break
                case .success(let use?):
                    report.looked += 1
                    if let problem = use.problem { report.problems[outcome.name.description] = problem }
                case .failure(let error): report.failures.append("\(outcome.name): \(error)")
                }
            }
            for (index, name) in names.enumerated() {
                if index >= Self.guestsAtOnce, let outcome = await group.next() { take(outcome) }
                group.addTask {
                    do {
                        return Outcome(name: name, result: .success(try await look.look(at: name)))
                    } catch {
                        return Outcome(name: name, result: .failure(error))
                    }
                }
            }
            for await outcome in group { take(outcome) }
        }
        report.failures += await forgetGone()
        return report
    }

    /// Removes what is kept of VMs that are gone: a login may note itself while its VM is destroyed.
    private func forgetGone() async -> [String] {
        do {
            for name in try useStore.names() where !Files.exists(layout.record(name)) {
                guard let lock = try await lockIfFree(layout.lock(name), verb: "collect") else { continue }
                defer { withExtendedLifetime(lock) {} }
                if !Files.exists(layout.record(name)) { try useStore.remove(name) }
            }
            return []
        } catch {
            return ["what is kept of VMs that are gone: \(error)"]
        }
    }
}
