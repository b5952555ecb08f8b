import Testing

@testable import DevhostCore

/// What `[limits]` of devhost.cfg lets VMs take.
@Suite struct LimitTests {
    private let bob = Caller(userID: 1001, name: "bob", isElevated: true)

    private func request(
        _ test: TestDevhost, _ name: String, memory: String = "1G", cpus: Int = 1, disk: String = "4G"
    ) throws -> EnsureRequest {
        var request = try test.request(name)
        request.memory = try MemorySize(memory)
        request.cpus = try CPUCount(cpus)
        request.diskSize = try DiskSize(disk)
        return request
    }

    @Test func aUserHasSoManyVMsAndAnotherOneAsMany() async throws {
        let test = try TestDevhost(more: "[limits]\nuser-vms = 2\nvms = 3")
        let devhost = test.devhost()
        try await devhost.ensure(try request(test, "one"))
        try await devhost.ensure(try request(test, "two"))
        let error = await expectError(.refused, containing: "[limits] user-vms allows 2") {
            try await devhost.ensure(try request(test, "three"))
        }
        #expect(error?.description.contains("used now: one 1, two 1") == true, "\(String(describing: error))")
        #expect(try await test.leftovers(of: "three", devhost).isEmpty)
        try await test.devhost(caller: bob).ensure(try request(test, "three"))
        await expectError(.refused, containing: "[limits] vms allows 3; used now: alice 2, bob 1") {
            try await test.devhost(caller: bob).ensure(try request(test, "four"))
        }
        try await devhost.destroy(VMName("one"))
        try await devhost.ensure(try request(test, "four"))
    }

    @Test func memoryAndCPUsCountWhileAVMIsMeantToRunAndDiskAlways() async throws {
        let test = try TestDevhost(more: "[limits]\nuser-memory = 4G\nuser-cpu = 4\nuser-disk = 12G")
        let devhost = test.devhost()
        try await devhost.ensure(try request(test, "one", memory: "3G", cpus: 3))
        await expectError(.refused, containing: "alice would have 5 GiB of memory in VMs that run") {
            try await devhost.ensure(try request(test, "two", memory: "2G"))
        }
        await expectError(.refused, containing: "5 CPUs in VMs that run") {
            try await devhost.ensure(try request(test, "two", cpus: 2))
        }
        try await devhost.shutDown(VMName("one"))
        try await devhost.ensure(try request(test, "two", memory: "2G", cpus: 2))
        await expectError(.refused, containing: "user-memory allows 4 GiB; used now: two 2 GiB") {
            try await devhost.start(VMName("one"))
        }
        #expect(try await devhost.describe(VMName("one")).state == .off)
        #expect(try devhost.records.require(VMName("one")).isOnline == false, "a refusal changes no record")
        await expectError(.refused, containing: "user-disk allows 12 GiB; used now: one 4 GiB, two 4 GiB") {
            try await devhost.ensure(try request(test, "three", memory: "512M", disk: "5G"))
        }
    }

    @Test func aVMThatIsSuspendedIsRefusedBeforeItGoesOn() async throws {
        let test = try TestDevhost(more: "[limits]\nuser-memory = 4G")
        let devhost = test.devhost()
        let name = try await devhost.ensure(try request(test, "one", memory: "3G")).record.name
        try await devhost.suspend(name)
        try await devhost.ensure(try request(test, "two", memory: "2G"))
        let observer = StepObserver()
        await expectError(.refused, containing: "user-memory allows 4 GiB; used now: two 2 GiB") {
            try await Effects.$observer.withValue(observer) { try await devhost.start(name) }
        }
        #expect(try await devhost.describe(name).state == .suspended)
        #expect(observer.effectsBesideAudit.allSatisfy { !$0.hasPrefix("libvirt:") }, "\(observer.effects)")
        #expect(try devhost.records.require(name).isOnline == false)
        try await devhost.shutDown(VMName("two"))
        #expect(try await devhost.start(name).state == .running)
    }

    @Test func aVMThatIsOffCountsFromTheBeginningOfItsRebuild() async throws {
        let test = try TestDevhost(more: "[limits]\nuser-memory = 4G")
        let devhost = test.devhost()
        let first = try request(test, "demo", memory: "3G")
        try await devhost.ensure(first)
        try await devhost.shutDown(first.name)
        let other = try request(test, "other", memory: "2G")
        let probe = VolumeProbe(test: test, silent: nil) {
            await expectError(.refused, containing: "used now: demo 3 GiB") { try await test.devhost().ensure(other) }
        }
        #expect(try await test.devhost(probe: probe).rebuild(first.name).state == .running)
        #expect(try devhost.list().map(\.name) == ["demo"])
    }

    @Test func limitsLoweredBelowWhatIsUsedRefuseGrowthAndNothingElse() async throws {
        let test = try TestDevhost()
        let wide = test.devhost()
        let name = try VMName("one")
        try await wide.ensure(try request(test, "one", memory: "4G", cpus: 4, disk: "8G"))
        try await wide.ensure(try request(test, "two", memory: "4G", cpus: 4, disk: "8G"))
        var configuration = wide.configuration
        configuration.limits.user = .init(vms: 1, memory: 1 << 30, cpus: 1, disk: 1 << 30)
        configuration.limits.total = configuration.limits.user
        let narrow = Devhost(
            configuration: configuration, caller: wide.caller, clock: wide.clock, probe: wide.probe,
            libvirt: wide.libvirt)
        #expect(try await narrow.ensure(EnsureRequest(name: name)).state == .running)
        #expect(try await narrow.ensure(try request(test, "one", memory: "2G", cpus: 2, disk: "8G")).state == .running)
        await expectError(.refused, containing: "[limits] user-memory") {
            try await narrow.ensure(try request(test, "one", memory: "3G", cpus: 2, disk: "8G"))
        }
        await expectError(.refused, containing: "[limits] user-disk") {
            try await narrow.ensure(try request(test, "one", memory: "2G", cpus: 2, disk: "9G"))
        }
        #expect(try await narrow.describe(name).record.memory?.mebibytes == 2048)
        try await narrow.shutDown(name)
        await expectError(.refused) { try await narrow.start(name) }
        try await narrow.destroy(name)
    }

    @Test func theMemoryOfTheMachineIsGivenOnce() async throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        try await devhost.ensure(try request(test, "one", memory: "200G"))
        await expectError(.refused, containing: "memory-overcommit allows 256 GiB; used now: alice 200 GiB") {
            try await devhost.ensure(try request(test, "two", memory: "57G"))
        }
        try await devhost.ensure(try request(test, "two", memory: "56G"))

        let wide = try TestDevhost(more: "[limits]\nmemory-overcommit = 150%")
        try await wide.devhost().ensure(try request(wide, "one", memory: "384G"))
        await expectError(.refused, containing: "allows 384 GiB") {
            try await wide.devhost().ensure(try request(wide, "two", memory: "128M"))
        }
        let any = try TestDevhost(more: "[limits]\nmemory-overcommit = yes")
        try await any.devhost().ensure(try request(any, "one", memory: "1T"))
    }

    @Test func aGuestThatKeepsItsMemoryCountsForIt() async throws {
        let test = try TestDevhost(more: "[limits]\nuser-memory = 4G")
        let devhost = test.devhost()
        try await devhost.ensure(try request(test, "one", memory: "3G"))
        try await devhost.ensure(try request(test, "one", memory: "512M"))
        await expectError(.refused, containing: "used now: one 3 GiB") {
            try await devhost.ensure(try request(test, "two", memory: "2G"))
        }
        // It holds as much already.
        try await devhost.ensure(try request(test, "one", memory: "2G"))
        try await devhost.ensure(try request(test, "one", memory: "512M"))
        try await devhost.shutDown(VMName("one"))
        try await devhost.start(VMName("one"))
        try await devhost.ensure(try request(test, "two", memory: "2G"))
    }

    @Test func whatRunsCountsWhateverItsRecordSays() async throws {
        let test = try TestDevhost(more: "[limits]\nuser-memory = 4G\nuser-cpu = 4")
        let devhost = test.devhost()
        var record = try await devhost.ensure(try request(test, "one", memory: "3G", cpus: 3)).record
        record.isOnline = false
        try devhost.records.save(record)
        await expectError(.refused, containing: "used now: one 3 GiB") {
            try await devhost.ensure(try request(test, "two", memory: "2G"))
        }
        await expectError(.refused, containing: "used now: one 3;") {
            try await devhost.ensure(try request(test, "two", memory: "512M", cpus: 2))
        }
    }

    @Test func aTemplateThatIsBeingMadeCountsForItsMaker() async throws {
        let test = try TestDevhost(more: "[limits]\nuser-vms = 1\nuser-memory = 4G")
        let devhost = test.devhost()
        try await devhost.ensure(try request(test, "one", memory: "1G"))
        let source = TemplateSource.release(.image(test.image, channel: nil))
        await expectError(.refused, containing: "used now: one 1 GiB") {
            try await devhost.buildTemplate(of: source, shape: try MachineShape("2x4G"))
        }
        #expect(try devhost.templateStore.keys().isEmpty)
        try await devhost.buildTemplate(of: source, shape: try MachineShape("2x2G"))
        #expect(try devhost.templateStore.claims().isEmpty, "one that is made counts no more")
        // One that goes on where its maker was killed.
        let key = try #require(try devhost.templateStore.keys().first)
        let lock = try #require(try await devhost.lockIfFree(devhost.layout.templateLock(key), verb: "test"))
        try await devhost.claimTemplate(key, try MachineShape("2x2G"), try await devhost.libvirt())
        await expectError(.refused, containing: "used now: template-\(key) 2 GiB") {
            try await devhost.ensure(try request(test, "one", memory: "3G"))
        }
        withExtendedLifetime(lock) {}
    }

    @Test func aVMHasSoManySnapshots() async throws {
        let test = try TestDevhost(more: "[limits]\nsnapshots = 2")
        let devhost = test.devhost()
        let name = try await devhost.ensure(try request(test, "one")).record.name
        for label in ["a", "b"] { try await devhost.snapshot(name, label: SnapshotLabel(label)) }
        await expectError(.refused, containing: "[limits] snapshots allows 2") {
            try await devhost.snapshot(name, label: SnapshotLabel("c"))
        }
        try await devhost.removeSnapshot(SnapshotReference(name, try SnapshotLabel("a")))
        try await devhost.snapshot(name, label: SnapshotLabel("c"))
    }

    @Test func ofManyAtOnceAsManySucceedAsMay() async throws {
        let test = try TestDevhost(more: "[limits]\nuser-vms = 3")
        let devhost = test.devhost()
        try await devhost.ensure(try request(test, "first"))
        let made = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<6 {
                group.addTask { (try? await devhost.ensure(try request(test, "vm\(number)"))) != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(made == 2)
        #expect(try devhost.list().count == 3)
    }

    @Test(
        "what is no limit",
        arguments: [
            "vms = -1", "snapshots = -1", "user-vms = many", "memory = 5", "user-disk = 1X", "memory-overcommit = 0%",
            "cpus = 3",
        ])
    func refusals(line: String) {
        #expect(throws: DevhostError.self) { try Configuration(text: "[limits]\n\(line)", source: "devhost.cfg") }
    }
}
