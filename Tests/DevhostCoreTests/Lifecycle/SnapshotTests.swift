import Testing

@testable import DevhostCore

/// Snapshots on libvirt's mock driver, which keeps definitions and states, and no contents.
@Suite struct SnapshotTests {
    private let name: VMName
    private let test: TestDevhost
    private let devhost: Devhost

    init() throws {
        name = try VMName("demo")
        test = try TestDevhost()
        devhost = test.devhost()
    }

    private func reference(_ label: String) throws -> SnapshotReference {
        SnapshotReference(name, try SnapshotLabel(label))
    }

    private func ensure(memory: String, cpus: Int) async throws -> VMRecord {
        var request = try test.request("demo")
        request.memory = try MemorySize(memory)
        request.cpus = try CPUCount(cpus)
        return try await devhost.ensure(request).record
    }

    @Test func aVMComesBackAsItWas() async throws {
        let before = try await ensure(memory: "1G", cpus: 1)
        let made = try await devhost.snapshot(name, label: SnapshotLabel("before"))
        #expect(made.isRunning && made.memory == before.memory && made.user == "alice")
        _ = try await ensure(memory: "2G", cpus: 2)
        try await devhost.shutDown(name)
        try await devhost.snapshot(name, label: SnapshotLabel("off"))
        #expect(try await devhost.snapshots(name).map(\.label.description) == ["before", "off"])

        let restored = try await devhost.restore(try reference("before"))
        #expect(restored.state == .running && restored.record.isOnline == true)
        #expect(restored.record.memory == before.memory && restored.record.cpus == before.cpus)
        #expect(try devhost.records.require(name) == restored.record)
        #expect(restored.record.mac == before.mac && restored.record.hostKey == before.hostKey)
        #expect(try await devhost.diagnose().findings.filter { $0.severity > .note }.isEmpty)

        let off = try await devhost.restore(try reference("off"), isForced: true)
        #expect(off.state == .off && off.record.isOnline == false && off.record.memory?.mebibytes == 2048)
        #expect(try await devhost.diagnose().findings.filter { $0.severity > .note }.isEmpty)
        #expect(try await devhost.start(name).state == .running)
    }

    @Test func aVMThatRunsIsNotGivenUpUnasked() async throws {
        let before = try await ensure(memory: "1G", cpus: 1)
        try await devhost.snapshot(name, label: SnapshotLabel("before"))
        await expectError(.conflict, containing: "demo runs") { try await devhost.restore(try reference("before")) }
        #expect(try await devhost.describe(name).state == .running)
        #expect(try devhost.records.require(name) == before)
        #expect(try await devhost.restore(try reference("before"), isForced: true).state == .running)
    }

    @Test(arguments: [false, true])
    func aVMIsAsItWasWhereTheSnapshotCannotBeHad(isSuspended: Bool) async throws {
        let before = try await ensure(memory: "1G", cpus: 1)
        try await devhost.snapshot(name, label: SnapshotLabel("before"))
        if isSuspended { try await devhost.suspend(name) }
        let observer = FaultObserver(failAt: 1, of: "virDomainRevertToSnapshot demo@before")
        await #expect(throws: DevhostError.self) {
            try await Effects.$observer.withValue(observer) {
                _ = try await devhost.restore(try reference("before"), isForced: true)
            }
        }
        #expect(try await devhost.describe(name).state == (isSuspended ? .suspended : .running))
        #expect(try devhost.records.require(name).memory == before.memory)
        #expect(try await devhost.snapshots(name).map(\.label.description) == ["before"])
    }

    @Test func labelsAreTakenOnceAndWhatIsMissingIsSaid() async throws {
        _ = try await ensure(memory: "1G", cpus: 1)
        try await devhost.snapshot(name, label: SnapshotLabel("one"))
        await expectError(.alreadyExists, containing: "snapshot rm demo@one") {
            try await devhost.snapshot(name, label: SnapshotLabel("one"))
        }
        await expectError(.notFound, containing: "fc-devhost snapshots demo") {
            try await devhost.restore(try reference("two"), isForced: true)
        }
        await expectError(.notFound) { try await devhost.snapshot(VMName("nobody")) }
        #expect(try await devhost.removeSnapshot(try reference("two")) == false)
        #expect(try await devhost.removeSnapshot(try reference("one")))
        #expect(try await devhost.snapshots(name).isEmpty)
        let moment = try await devhost.snapshot(name).label.description
        #expect(moment.count == 15 && moment.contains("-"))
    }

    @Test func aSnapshotThatDoesNotFitIsNotBegun() async throws {
        let test = try TestDevhost(more: "[limits]\nmemory-overcommit = yes")
        var request = try test.request("demo")
        request.memory = try MemorySize("15T")
        try await test.devhost().ensure(request)
        await expectError(.insufficientSpace, containing: "a snapshot of demo needs") {
            try await test.devhost().snapshot(name)
        }
        #expect(try await test.devhost().snapshots(name).isEmpty)
    }

    @Test func snapshotsGoWithTheVMAndARebuildWaitsForThem() async throws {
        _ = try await ensure(memory: "1G", cpus: 1)
        try await devhost.snapshot(name, label: SnapshotLabel("kept"))
        await expectError(.conflict, containing: "kept") { try await devhost.rebuild(name) }
        #expect(try await devhost.describe(name).state == .running)
        try await devhost.removeSnapshot(try reference("kept"))
        #expect(try await devhost.rebuild(name).state == .running)
        try await devhost.snapshot(name, label: SnapshotLabel("kept"))
        try await devhost.destroy(name)
        #expect(try await test.leftovers(of: "demo", devhost).isEmpty)
        _ = try await ensure(memory: "1G", cpus: 1)
        #expect(try await devhost.snapshots(name).isEmpty)
    }

    @Test func aRestorePastALimitIsRefusedAndChangesNothing() async throws {
        let test = try TestDevhost(more: "[limits]\nuser-memory = 3G")
        let devhost = test.devhost()
        var request = try test.request("demo")
        request.memory = try MemorySize("2G")
        try await devhost.ensure(request)
        try await devhost.snapshot(name, label: SnapshotLabel("large"))
        try await devhost.shutDown(name)
        request.name = try VMName("other")
        try await devhost.ensure(request)
        let before = try devhost.records.require(name)
        await expectError(.refused, containing: "user-memory") { try await devhost.restore(try reference("large")) }
        #expect(try devhost.records.require(name) == before)
        #expect(try await devhost.describe(name).state == .off)
    }

    @Test func onlyTheOwnerRestoresAndRemovesWhereTheDevhostSaysSo() async throws {
        let test = try TestDevhost(more: "[access]\ndestroy = owner")
        let bob = test.devhost(caller: Caller(userID: 1001, name: "bob", isElevated: true))
        try await test.devhost().ensure(try test.request("demo"))
        try await bob.snapshot(name, label: SnapshotLabel("one"))
        await expectError(.permissionDenied, containing: "cannot restore demo") {
            try await bob.restore(try reference("one"), isForced: true)
        }
        await expectError(.permissionDenied) { try await bob.removeSnapshot(try reference("one")) }
        #expect(try await test.devhost().removeSnapshot(try reference("one")))
    }

    @Test(
        "what is no label",
        arguments: ["", "a b", "../x", "-a", "A", "ü", "a\n", "a@b", String(repeating: "x", count: 64)])
    func labels(text: String) {
        #expect(throws: DevhostError.self) { try SnapshotLabel(text) }
        #expect(throws: DevhostError.self) { try SnapshotReference("demo@\(text)") }
    }
}
