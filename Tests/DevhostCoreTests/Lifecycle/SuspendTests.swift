import Glibc
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
        private let cause: LibvirtError
        private let isDone = Mutex(false)

        /// - Parameter number: libvirt's number of the error; 1 is "internal error", which most of QEMU's come as.
        init(of call: String, number: Int32 = 1, _ words: String = "no good", systemError: Int32 = 0) {
            self.call = call
            cause = LibvirtError(number: number, description: words, systemError: systemError)
        }

        func willPerform(_ effect: Effect) throws {
            guard effect.description == call else { return }
            let isFirst = isDone.withLock { isDone in
                defer { isDone = true }
                return !isDone
            }
            guard isFirst else { return }
            throw DevhostError(cause.code, "\(call) failed", underlying: cause)
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

    /// In the words of libvirt 9.0 and QEMU 7.2.
    @Test(arguments: [
        "no good", "operation failed: image magic is incorrect", "operation failed: failed to read qemu header",
        "internal error: qemu unexpectedly closed the monitor: error while loading state for instance 0x0 of device "
            + "'kvmclock' load of migration failed: Input/output error",
        "unsupported configuration: Emulator '/usr/bin/qemu' does not support machine type 'pc-q35-9.0'",
    ])
    func memoryThatCannotBeUsedIsRemovedAndTheVMBoots(words: String) async throws {
        _ = try await made()
        try await devhost.suspend(name)
        let log = EventLog()
        let started = try await Effects.$observer.withValue(Refusal(of: "virDomainCreate demo", words)) {
            try await devhost.start(name, progress: log.handler)
        }
        #expect(started.state == .running)
        #expect(
            log.texts.contains { $0.contains("cannot be used and was removed, it boots instead: \(words)") },
            "\(log.texts)")
        try await expectHealth()
    }

    /// What is not the memory's fault passes: a backup lets the disk go, somebody makes room.
    @Test(arguments: [
        (1, "process exited while connecting to monitor: Failed to get \"write\" lock Is another process using it?", 0),
        (1, "process exited while connecting to monitor: Could not access KVM kernel module: No such file", 0),
        (8, "invalid argument: could not find capabilities for arch=x86_64 domaintype=kvm", 0),
        (1, "process exited while connecting to monitor: cannot set up guest memory: Cannot allocate memory", 0),
        (38, "Unable to write to '/var/lib/libvirt/qemu/domain-1-demo/master-key.aes'", ENOSPC),
        (38, "Cannot access storage file '/var/lib/devhost/_disks/demo.qcow2'", ENOENT),
    ])
    func whatTheHostLacksLeavesTheMemory(number: Int, words: String, systemError: Int32) async throws {
        _ = try await made()
        try await devhost.suspend(name)
        let refusal = Refusal(of: "virDomainCreate demo", number: Int32(number), words, systemError: systemError)
        await #expect {
            try await Effects.$observer.withValue(refusal) { _ = try await devhost.start(name) }
        } throws: { error in
            [words, "its memory stays on disk", "virsh managedsave-remove demo"].allSatisfy("\(error)".contains)
        }
        #expect(try await devhost.describe(name).state == .suspended)
        let log = EventLog()
        #expect(try await devhost.start(name, progress: log.handler).state == .running)
        #expect(
            log.texts.contains("resuming demo") && !log.texts.contains { $0.contains("was removed") }, "\(log.texts)")
        try await expectHealth()
    }

    @Test func aGuestThatQEMUPausedGoesOnToShutDown() async throws {
        _ = try await made()
        try await devhost.libvirt().pauseDomain(name)
        let log = EventLog()
        let observer = StepObserver()
        try await Effects.$observer.withValue(observer) { _ = try await devhost.shutDown(name, progress: log.handler) }
        #expect(try await devhost.describe(name).state == .off)
        #expect(observer.effects.contains { $0.contains("virDomainShutdown") }, "\(observer.effects)")
        #expect(!observer.effects.contains { $0.contains("virDomainDestroy") }, "\(observer.effects)")
        #expect(!log.texts.contains { $0.contains("by force") }, "\(log.texts)")
    }

    @Test func aGuestThatDoesNotGoOnIsStoppedAndThatIsSaid() async throws {
        _ = try await made()
        try await devhost.libvirt().pauseDomain(name)
        let log = EventLog()
        try await Effects.$observer.withValue(Refusal(of: "virDomainResume demo")) {
            _ = try await devhost.shutDown(name, progress: log.handler)
        }
        #expect(try await devhost.describe(name).state == .off)
        #expect(
            log.texts.contains { $0.hasPrefix("demo is paused and does not go on") && $0.contains("by force") },
            "\(log.texts)")
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
