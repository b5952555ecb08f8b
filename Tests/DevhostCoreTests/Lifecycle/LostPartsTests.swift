import Testing

@testable import DevhostCore

/// What `ensure` makes of VMs of which something is lost: nothing that may hold somebody's work is ever taken away.
@Suite struct LostPartsTests {
    let test: TestDevhost
    let devhost: Devhost
    let name: VMName

    init() throws {
        test = try TestDevhost()
        devhost = test.devhost()
        name = try VMName("demo")
    }

    private func expect(_ code: DevhostError.Code, _ words: String..., from verb: () async throws -> Void) async {
        await #expect { try await verb() } throws: { error in
            (error as? DevhostError)?.code == code && words.allSatisfy { "\(error)".contains($0) }
        }
    }

    @Test func aVMWithoutItsRecordIsLeftAlone() async throws {
        try await devhost.ensure(try test.request("demo"))
        try devhost.records.remove(name)
        await expect(.conflict, "demo.json", "destroy demo") { try await devhost.ensure(try test.request("demo")) }
        #expect(try await devhost.libvirt().domainState(name) == .running)
        #expect(try await test.disks(of: "demo", devhost).count == 1)
        try await devhost.destroy(name)
        #expect(try await devhost.ensure(try test.request("demo")).state == .running)
    }

    /// The command that made it was killed while it waited; its guest came up all the same.
    @Test(arguments: [true, false])
    func aVMThatWasStartedIsNotTakenAwayByALaterFailure(isRunning: Bool) async throws {
        var record = try await devhost.ensure(try test.request("demo")).record
        if !isRunning { try await devhost.shutDown(name) }
        record.isIncomplete = true
        record.guestDigest = nil
        try devhost.records.save(record)
        var request = EnsureRequest(name: name)
        request.release = .catalog(try ChannelName("nowhere"), nil)
        await #expect(throws: DevhostError.self) { try await devhost.ensure(request) }
        #expect(try await devhost.libvirt().domainState(name) == (isRunning ? .running : .off))
        #expect(try await test.disks(of: "demo", devhost).count == 1)
        let after = try await devhost.ensure(EnsureRequest(name: name))
        #expect(after.state == .running && !after.record.isIncomplete)
    }

    /// The note of the start is lost, and with it everything that says so but what the guest wrote on its console.
    @Test func aVMIsNotTakenForNewBecauseANoteIsMissing() async throws {
        var record = try await devhost.ensure(try test.request("demo")).record
        record.isIncomplete = true
        record.guestDigest = nil
        try devhost.records.save(record)
        let layout = test.configuration.layout
        let mark = ConsoleMark(layout: layout, name: name)
        #expect(mark.isStarted && !mark.isUnstarted)
        try Files.remove("\(layout.folder(name))/\(ConsoleMark.fileName)")
        try Files.write(layout.consoleLog(name), Array("login:".utf8), mode: 0o600)
        var request = EnsureRequest(name: name)
        request.release = .catalog(try ChannelName("nowhere"), nil)
        await #expect(throws: DevhostError.self) { try await devhost.ensure(request) }
        #expect(try await test.disks(of: "demo", devhost).count == 1)
    }

    @Test func aNewVMSaysThatItWasNeverStartedBeforeItHasADisk() async throws {
        let observer = StepObserver()
        try await Effects.$observer.withValue(observer) { _ = try await devhost.ensure(try test.request("demo")) }
        let steps = observer.effects
        let note = try #require(steps.firstIndex { $0.hasSuffix("/demo/never-started") })
        let disk = try #require(steps.firstIndex { $0.contains("virStorageVolCreateXML") && $0.contains("demo.qcow2") })
        let mark = try #require(steps.firstIndex { $0.hasSuffix("/demo/console-start") })
        let start = try #require(steps.firstIndex { $0.contains("virDomainCreate demo") })
        #expect(note < disk && disk < mark && mark < start)
    }

    @Test func aLostDiskIsSaidInsteadOfReplaced() async throws {
        let record = try await devhost.ensure(try test.request("demo")).record
        try await devhost.shutDown(name)
        let pool = HostPreparation.diskPool(test.configuration.network)
        let volume = test.configuration.layout.diskVolume(name, record.diskNumber)
        try await devhost.libvirt().deleteVolume(pool: pool, name: volume)
        await expect(.damaged, volume, "rebuild demo") { try await devhost.ensure(EnsureRequest(name: name)) }
        #expect(try await test.disks(of: "demo", devhost).isEmpty)
        let observer = StepObserver()
        let after = try await Effects.$observer.withValue(observer) { try await devhost.rebuild(name).record }
        #expect(after.imageHash == record.imageHash)
        #expect(observer.effects.contains { $0.contains("virStorageVolCreateXML") && $0.hasSuffix("/demo.conf") })
        #expect(try await test.disks(of: "demo", devhost).count == 1)
    }

    @Test func aVMThatCannotStartAsItIsToBeRunsAsItWas() async throws {
        let before = try await devhost.ensure(try test.request("demo")).record
        var request = EnsureRequest(name: name)
        request.memory = try MemorySize("4G")
        let observer = FaultObserver(failAt: 1, of: "virDomainCreate demo")
        await #expect {
            try await Effects.$observer.withValue(observer) { _ = try await devhost.ensure(request) }
        } throws: { "\($0)".contains("runs as before") }
        let after = try await devhost.describe(name)
        #expect(after.state == .running && after.record.memory == before.memory)
        #expect(try await devhost.ensure(request).record.memory?.mebibytes == 4096)
    }

    /// The disk outlived its record and its domain, and libvirt does not see it: its pool does not run.
    private func outlived() async throws {
        try await devhost.ensure(try test.request("demo"))
        let libvirt = try await devhost.libvirt()
        try await libvirt.killDomain(name)
        try await libvirt.undefineDomain(name)
        try devhost.records.remove(name)
        let network = test.configuration.network
        for pool in [HostPreparation.diskPool(network), HostPreparation.firstBootPool(network)] {
            try await libvirt.stopPool(pool)
        }
    }

    @Test func aDiskThatLibvirtDoesNotSeeIsNotTakenForPartOfANewVM() async throws {
        try await outlived()
        await expect(.conflict, "demo.json", "destroy demo") { try await devhost.ensure(try test.request("demo")) }
        #expect(try await test.disks(of: "demo", devhost).count == 1)
        #expect(Files.exists(test.configuration.layout.hostKey(name)))
    }

    @Test func destroyTakesADiskAwayThatLibvirtDoesNotSee() async throws {
        try await outlived()
        #expect(try await devhost.destroy(name))
        let libvirt = try await devhost.libvirt()
        try await HostPreparation(devhost: devhost, libvirt: libvirt).activatePools()
        #expect(try await test.leftovers(of: "demo", devhost).isEmpty)
    }

    @Test func whatAKilledProcessWasWritingDoesNotKeepAVMFromBeingDestroyed() async throws {
        try await devhost.ensure(try test.request("demo"))
        let layout = test.configuration.layout
        try Files.createDirectory(layout.failure(name), mode: 0o700)
        for path in ["\(layout.failure(name))/.reason.1.2.tmp", "\(layout.folder(name))/.console-start.1.2.tmp"] {
            try Files.write(path, [], mode: 0o600)
        }
        #expect(try await devhost.destroy(name))
        #expect(try await test.leftovers(of: "demo", devhost).isEmpty)
        #expect(!Files.exists(layout.failure(name)))
    }
}
