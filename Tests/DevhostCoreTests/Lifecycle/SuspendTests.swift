import Synchronization
import Testing

@testable import DevhostCore

@Suite struct SuspendTests {
    let test: TestDevhost
    let devhost: Devhost
    let name: VMName

    init() throws {
        test = try TestDevhost()
        devhost = test.devhost()
        name = try VMName("demo")
    }

    /// libvirt's refusal of one call, the first of its kind.
    private final class Refusal: EffectObserver {
        private let call: String
        private let isDone = Mutex(false)

        init(of call: String) { self.call = call }

        func willPerform(_ effect: Effect) throws {
            guard effect.description == call else { return }
            let isFirst = isDone.withLock { isDone in
                defer { isDone = true }
                return !isDone
            }
            guard isFirst else { return }
            throw DevhostError(
                .failed, "\(call) failed",
                underlying: LibvirtError(number: 1, description: "no good", systemError: 0))
        }
    }

    private func made() async throws -> VMRecord { try await devhost.ensure(try test.request("demo")).record }

    private func isAutostarted() async throws -> Bool? {
        let overviews = try await devhost.libvirt().domainOverviews(namespace: DomainDefinition.namespace)
        return overviews[name]?.isAutostarted
    }

    private func expectHealth(at location: SourceLocation = #_sourceLocation) async throws {
        let findings = try await devhost.diagnose().findings.filter { $0.severity > .note }
        #expect(findings.isEmpty, "\(findings)", sourceLocation: location)
    }

    @Test func aSuspendedVMIsShownAsSuchAndStartGoesOnWithIt() async throws {
        let before = try await made()
        #expect(try await devhost.suspend(name))
        #expect(try await devhost.describe(name).state == .suspended)
        #expect(try await devhost.listWithStates().map(\.state) == [.suspended])
        #expect(try devhost.records.require(name).isOnline == false)
        #expect(try await isAutostarted() == false)
        try await expectHealth()
        #expect(try await !devhost.suspend(name), "it is suspended already")
        let log = EventLog()
        var after = try await devhost.start(name, progress: log.handler)
        #expect(after.state == .running && log.texts.contains("resuming demo"), "\(log.texts)")
        #expect(try await isAutostarted() == true)
        #expect(
            try await !devhost.libvirt().domainStates().values.contains(.suspended), "its memory is gone from the disk")
        try await expectHealth()
        var record = after.record
        record.lastDeployDate = before.lastDeployDate
        #expect(record == before)
        try await devhost.shutDown(name)
        #expect(try await !devhost.suspend(name), "a VM that is off has nothing to keep")
        after = try await devhost.describe(name)
        #expect(after.state == .off && after.record.isOnline == false)
    }

    @Test func ensureResumesBeforeItChanges() async throws {
        _ = try await made()
        try await devhost.suspend(name)
        var request = EnsureRequest(name: name)
        request.memory = try MemorySize("4G")
        request.cpus = try CPUCount(3)
        let log = EventLog()
        let after = try await devhost.ensure(request, progress: log.handler)
        #expect(after.state == .running && after.record.memory?.mebibytes == 4096)
        #expect(
            log.texts.contains("resuming demo") && log.texts.contains { $0.contains("restarts for its new memory") },
            "\(log.texts)")
        let info = try await devhost.libvirt().domainInfo(name)
        #expect(info.memory == 4096 && info.cpus == 3)
    }

    @Test func shutdownRebuildAndDestroyTakeASuspendedVM() async throws {
        let before = try await made()
        try await devhost.suspend(name)
        #expect(try await devhost.shutDown(name))
        #expect(try await devhost.describe(name).state == .off)
        try await expectHealth()
        try await devhost.start(name)
        try await devhost.suspend(name)
        let rebuilt = try await devhost.rebuild(name)
        #expect(rebuilt.state == .running && rebuilt.record.diskNumber == 1)
        #expect(try await test.disks(of: "demo", devhost) == [1: before.imageHash])
        try await expectHealth()
        try await devhost.suspend(name)
        try await devhost.destroy(name)
        #expect(try await test.leftovers(of: "demo", devhost).isEmpty)
        let anew = try await made()
        #expect(anew.id != before.id && !anew.isIncomplete)
    }

    @Test func memoryThatCannotBeUsedIsRemovedAndTheVMBoots() async throws {
        _ = try await made()
        try await devhost.suspend(name)
        let log = EventLog()
        let started = try await Effects.$observer.withValue(Refusal(of: "virDomainCreate demo")) {
            try await devhost.start(name, progress: log.handler)
        }
        #expect(started.state == .running)
        #expect(
            log.texts.contains { $0.contains("cannot be used and was removed, it boots instead: no good") },
            "\(log.texts)")
        try await expectHealth()
    }

    @Test func aVMWhoseMemoryCannotBeWrittenRunsOn() async throws {
        let before = try await made()
        await #expect(throws: DevhostError.self) {
            try await Effects.$observer.withValue(Refusal(of: "virDomainManagedSave demo")) {
                _ = try await devhost.suspend(name)
            }
        }
        #expect(try await devhost.describe(name).state == .running)
        #expect(try devhost.records.require(name) == before)
        #expect(try await isAutostarted() == true)
        try await expectHealth()
    }

    @Test func whatAnotherToolSuspendedIsNoticedAndTakenOver() async throws {
        _ = try await made()
        try await devhost.libvirt().saveMemory(name)
        let findings = try await devhost.diagnose().findings.filter { $0.severity > .note }
        #expect(findings.map(\.problem) == ["it is suspended, and nobody suspended it here"])
        try await devhost.suspend(name)
        try await expectHealth()
    }

    @Test func memoryOfAVMWithoutARecordIsFound() async throws {
        _ = try await made()
        try await devhost.suspend(name)
        try devhost.records.remove(name)
        let findings = try await devhost.diagnose().findings.filter { $0.severity > .note }
        #expect(findings.contains { $0.problem.contains("a domain that is suspended") }, "\(findings)")
        try await devhost.destroy(name)
        #expect(try await test.leftovers(of: "demo", devhost).isEmpty)
    }

    @Test func aVMWithACutOffRebuildIsNotSuspended() async throws {
        var record = try await made()
        record.otherDisk = 1
        try devhost.records.save(record)
        await #expect {
            try await devhost.suspend(name)
        } throws: {
            ($0 as? DevhostError)?.code == .conflict
        }
        #expect(try await devhost.describe(name).state == .running)
    }
}
