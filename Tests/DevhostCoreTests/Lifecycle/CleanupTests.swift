import FoundationEssentials
import Synchronization
import Testing

@testable import DevhostBase
@testable import DevhostCore

/// Sixty days of a devhost in a second each.
@Suite struct CleanupTests {
    /// Does something with a VM that shows that it is used.
    typealias Use = @Sendable (CleanupWorld, VMName) async throws -> Void

    static let uses: [(sign: UseSign, use: Use)] = [
        (.ensure, { world, name in try await world.devhost.ensure(EnsureRequest(name: name)) }),
        (
            .login,
            { world, name in _ = try await world.devhost.login(name, command: ["true"]) }
        ),
        (
            .ssh,
            { world, name in
                let now = Timestamp(world.clock.now)
                world.sources.change { $0.logins[name] = now }
            }
        ),
        (
            .request,
            { world, name in
                let now = Timestamp(world.clock.now)
                world.sources.change { $0.requests["app.\(name).localhost"] = now }
            }
        ),
        (
            .cpu,
            { world, name in
                // Half a processor for a day.
                world.sources.change { $0.cpuTimes[name, default: 0] += 43_200_000_000_000 }
            }
        ),
    ]

    @Test(arguments: uses.indices) func aVMThatIsUsedByOneSignAloneSurvives(_ index: Int) async throws {
        let (sign, use) = Self.uses[index]
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        world.sources.change { $0.cpuTimes[name] = 0 }
        // Every tenth day for a moment, between two looks.
        let steps = try await world.live(days: 60) { day in
            if day.isMultiple(of: 10) { try await use(world, name) }
        }
        #expect(steps.isEmpty, "\(steps)")
        #expect(try await world.devhost.describe(name).state == .running)
        let known = try await world.devhost.use(of: name)
        #expect(known.lastUse.map { world.clock.now.timeIntervalSince($0.date) < 86400 } == true)
        #expect(known.signs.first?.sign == sign)
        #expect(known.next.map(\.action) == [.suspend, .notice, .trash])
    }

    @Test func aSessionThatStaysOpenIsUse() async throws {
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        let address = try #require(try world.devhost.records.require(name).ipv6).description
        let session = TCPTable.Connection(
            remoteAddress: address, remotePort: 22, localPort: 40000, user: 1000)
        world.sources.change { $0.connections = [session] }
        #expect(try await world.live(days: 40).isEmpty)
        #expect(try await world.devhost.use(of: name).signs.first?.sign == .ssh)
    }

    @Test func aVMThatOnlyTheDevhostItselfProbesGoes() async throws {
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        let address = try #require(try world.devhost.records.require(name).ipv4).description
        let steps = try await world.live(days: 60) { _ in
            // Once it is suspended these have nothing to look at.
            try? await world.devhost.wait(for: name)
            _ = try? await world.devhost.describe(name)
            _ = try await world.devhost.diagnose()
            _ = try await world.devhost.publish()
            world.sources.change { state in
                // A probe of the devhost's own during every look.
                state.probed = address
                // What a guest does that idles.
                state.cpuTimes[name, default: 0] += 2_000_000_000_000
            }
        }
        #expect(steps.last?.text == "demo gone" && steps.count == 4, "\(steps)")
    }

    @Test func whatNobodyUsesIsSuspendedThenSaidThenPutIntoTheTrashThenGone() async throws {
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        let steps = try await world.live(days: 60)
        // The first look is half a day after the ensure.
        #expect(
            steps.map { "\($0.day) \($0.text)" } == [
                "15 demo suspend", "29 demo notice", "32 demo trash", "39 demo gone",
            ])
        #expect(try world.devhost.list().isEmpty)
        #expect(try await world.test.leftovers(of: name.description, world.devhost).isEmpty)
    }

    @Test func whatCannotBeSuspendedIsShutDown() async throws {
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        let full = FaultObserver(failAt: 1, of: "virDomainManagedSave demo")
        let steps = try await Effects.$observer.withValue(full) { try await world.live(days: 16) }
        #expect(steps.map(\.text) == ["demo shutdown"])
        #expect(try await world.devhost.describe(name).state == .off)
        #expect(try await world.devhost.use(of: name).signs.first?.sign == .ensure)
    }

    @Test func aNoticeComesOnceWhereItsOwnerSeesIt() async throws {
        let world = try CleanupWorld("shutdown-after = never")
        let name = try await world.ensure("demo")
        let other = try await world.ensure("other")
        let stranger = world.test.devhost(
            caller: Caller(userID: 1001, name: "bob", isElevated: true), clock: world.clock,
            useSources: world.sources)
        try await stranger.ensure(try world.test.request("strange"))
        let use: (Int) async throws -> Void = { _ in
            try await world.devhost.ensure(EnsureRequest(name: other))
            try await stranger.ensure(EnsureRequest(name: VMName("strange")))
        }
        let steps = try await world.live(days: 30, daily: use)
        #expect(steps.map(\.text) == ["demo notice"])
        #expect(world.sources.shown(name)?.hasPrefix("nobody has used demo since 2023-11-14") == true)
        #expect(world.sources.shown(other) == nil)

        // Its owner reads of it with any other VM, and nobody else does.
        let log = EventLog()
        try await world.devhost.ensure(EnsureRequest(name: other), progress: log.handler)
        #expect(log.texts.contains { $0.contains("demo") && $0.contains("fc-devhost pin demo") }, "\(log.texts)")
        let theirs = EventLog()
        try await stranger.ensure(EnsureRequest(name: VMName("strange")), progress: theirs.handler)
        #expect(!theirs.texts.contains { $0.contains("demo") })

        // Used after all: the notice is taken back, and another month passes before the next.
        let mine = EventLog()
        try await world.devhost.ensure(EnsureRequest(name: name), progress: mine.handler)
        #expect(mine.texts.contains { $0.hasPrefix("demo was to go into the trash") }, "\(mine.texts)")
        let after = try await world.live(days: 32, daily: use)
        #expect(after.map { "\($0.day) \($0.text)" } == ["29 demo notice", "32 demo trash"])
    }

    @Test func whatComesBackFromTheTrashIsTheSameAndIsKept() async throws {
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        var before = try world.devhost.records.require(name)
        let disk = try await world.test.disks(of: "demo", world.devhost)
        try await world.live(days: 34)
        #expect(try world.devhost.records.find(name)?.trashed != nil)
        #expect(try world.devhost.headings().map(\.name) == ["demo"], "its name is taken")
        #expect(try world.devhost.trash().map(\.name) == ["demo"])
        #expect(try await world.devhost.diagnose().findings.filter { $0.severity > .note }.isEmpty)
        #expect(try !world.test.hosts().contains("demo"))
        await expectError(.conflict, containing: "undelete demo") { try await world.ensure("demo") }
        await expectError(.conflict, containing: "undelete demo") { try await world.devhost.start(name) }
        let another = try await world.ensure("another")
        #expect(try world.devhost.records.require(another).ipv4 != before.ipv4, "its addresses are held")

        #expect(try await world.devhost.restoreFromTrash(name))
        #expect(try await world.devhost.describe(name).state == .suspended, "its memory too")
        #expect(try await world.devhost.diagnose().findings.filter { $0.severity > .note }.isEmpty)
        var after = try world.devhost.records.require(name)
        #expect(try await world.test.disks(of: "demo", world.devhost) == disk)
        before.isOnline = false
        #expect(after == before)
        // To have it back is a use of it.
        #expect(try await world.live(days: 20).filter { $0.text.hasPrefix("demo") }.isEmpty)
        after = try await world.devhost.start(name).record
        #expect(after.mac == before.mac && after.hostKey == before.hostKey && after.id == before.id)
    }

    @Test func eachMoveToTheTrashGivesTheWholeTime() async throws {
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        try await world.live(days: 1)
        #expect(try await world.devhost.moveToTrash(name))
        #expect(try await world.live(days: 5).isEmpty)
        #expect(try await world.devhost.restoreFromTrash(name))
        // Nobody looks in between.
        _ = try await world.devhost.login(name, command: ["true"])
        #expect(try await world.devhost.moveToTrash(name))
        let steps = try await world.live(days: 8)
        #expect(steps.map { "\($0.day) \($0.text)" } == ["7 demo gone"])
    }

    /// Somebody logs in when clean-up has looked and is about to take the VM's lock.
    private final class LateLogin: EffectObserver {
        private let isDone = Mutex(false)
        private let login: @Sendable () throws -> Void

        init(_ login: @escaping @Sendable () throws -> Void) { self.login = login }

        func willPerform(_ effect: Effect) throws {
            guard effect.description.contains("/_audit") else { return }
            let isFirst = isDone.withLock { isDone in
                defer { isDone = true }
                return !isDone
            }
            if isFirst { try login() }
        }
    }

    @Test(arguments: [false, true])
    func aVMThatIsUsedInTheLastMomentIsNotPutToRest(cannotSuspend: Bool) async throws {
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        if cannotSuspend {
            var record = try world.devhost.records.require(name)
            // A rebuild that was cut off: clean-up shuts such a VM down.
            record.otherDisk = 1
            try world.devhost.records.save(record)
        }
        try await world.live(days: 14)
        world.clock.advance(hours: 24)
        let late = LateLogin { try world.devhost.useStore.leave(.login, of: name, Timestamp(world.clock.now)) }
        let report = try await Effects.$observer.withValue(late) { try await world.devhost.cleanUp() }
        #expect(report?.steps.isEmpty == true && report?.failures == [], "\(String(describing: report))")
        #expect(try await world.devhost.describe(name).state == .running)
        #expect(!world.devhost.useStore.read(name).use.isPutToRest)
        #expect(try await world.live(days: 10).isEmpty)
    }

    @Test func destroyIsFinalAlsoForWhatIsInTheTrash() async throws {
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        #expect(try await world.devhost.moveToTrash(name))
        #expect(try await !world.devhost.moveToTrash(name))
        #expect(try await world.devhost.destroy(name))
        #expect(try await world.test.leftovers(of: "demo", world.devhost).isEmpty)
        #expect(try await world.devhost.ensure(try world.test.request("demo")).state == .running)
        await expectError(.notFound) { try await world.devhost.restoreFromTrash(VMName("nobody")) }
        #expect(try await !world.devhost.moveToTrash(VMName("nobody")))
    }

    @Test func pinsHoldAndExpire() async throws {
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        let forever = try await world.ensure("forever")
        let end = Timestamp(world.clock.now.addingTimeInterval(40 * 86400))
        try await world.devhost.pin(name, .until(end))
        try await world.devhost.pin(forever, .forever)
        let steps = try await world.live(days: 50)
        // What is overdue when its pin ends is said first, and three days later it goes.
        #expect(
            steps.map { "\($0.day) \($0.text)" } == [
                "40 demo suspend", "40 demo notice", "43 demo trash", "50 demo gone",
            ])
        #expect(try await world.devhost.describe(forever).state == .running)
        #expect(try await world.devhost.unpin(forever))
        #expect(try await !world.devhost.unpin(forever))
        await expectError(.invalidArgument, containing: "passed") {
            try await world.devhost.pin(forever, .until(end))
        }
    }

    @Test func aClockThatJumpsAgesNothing() async throws {
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        let trashed = try await world.ensure("trashed")
        try await world.devhost.moveToTrash(trashed)
        try await world.live(days: 2)
        for days in [365.0, -365, 3650, -3650] {
            world.clock.jump(days: days)
            #expect(try await world.live(days: 1).isEmpty)
        }
        let end = Timestamp(world.clock.now.addingTimeInterval(86400))
        #expect(try await world.devhost.use(of: name).next.allSatisfy { $0.date > end })
        #expect(try world.devhost.records.find(trashed) != nil)
    }

    @Test func timeForWhichNobodyLookedCountsAsADayAtTheMost() async throws {
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        try await world.live(days: 2)
        world.clock.advance(hours: 90 * 24)
        #expect(try await world.live(days: 1).isEmpty)
        world.clock.reboot(after: 90 * 24)
        #expect(try await world.live(days: 1).isEmpty)
        #expect(try await world.devhost.use(of: name).unused < 5 * 86400)
    }

    @Test func aVMWhoseSignsCannotBeReadIsKeptAndThatIsSaid() async throws {
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        try await world.live(days: 13)
        world.sources.change { $0.mute.insert(name) }
        #expect(try await world.live(days: 30).isEmpty)
        let report = try #require(try await world.devhost.cleanUp())
        #expect(report.kept["demo"]?.contains("it does not answer") == true)
        #expect(try await world.devhost.use(of: name).problem?.contains("it does not answer") == true)
        world.sources.change { $0.mute = [] }
        #expect(try await world.live(days: 3).map(\.text) == ["demo suspend"])
        // What was known of it is lost: it starts anew.
        try Files.write(world.configuration.layout.use(name), Array("{\"idle\"".utf8), mode: 0o644)
        #expect(try await world.devhost.planCleanUp().kept["demo"] != nil)
        #expect(try await world.live(days: 13).isEmpty)
    }

    @Test func aDryRunTellsWhatACleanupDoesAndChangesNothing() async throws {
        let world = try CleanupWorld()
        let name = try await world.ensure("demo")
        for _ in 0..<15 {
            _ = try await world.devhost.collectSigns()
            world.clock.advance(hours: 24)
        }
        let observer = StepObserver()
        let plan = try await Effects.$observer.withValue(observer) { try await world.devhost.planCleanUp() }
        #expect(plan.steps.map(\.action) == [.suspend])
        #expect(observer.effects.allSatisfy { $0.contains("virConnectOpen") }, "\(observer.effects)")
        #expect(try await world.devhost.describe(name).state == .running)
        #expect(try await world.devhost.cleanUp()?.steps.map(\.action) == [.suspend])
    }

    @Test func aSecondCleanupAndASecondLookLeave() async throws {
        let world = try CleanupWorld()
        _ = try await world.ensure("demo")
        let devhost = world.devhost
        let cleaning = try await devhost.lockIfFree(world.configuration.layout.cleanupLock, verb: "cleanup")
        #expect(try await devhost.cleanUp() == nil)
        #expect(try await devhost.cleanUpImages() == nil)
        withExtendedLifetime(cleaning) {}
        let looking = try await devhost.lockIfFree(world.configuration.layout.collectLock, verb: "collect")
        #expect(try await devhost.collectSigns() == nil)
        withExtendedLifetime(looking) {}
    }

    @Test func aHookIsToldOfEachStepAndOneThatFailsIsAWarning() async throws {
        let folder = try TestFolder("hook")
        let hook = "\(folder.path)/hook"
        try Files.write(hook, Array("#!/bin/sh\ncat >>\(folder.path)/told\n".utf8), mode: 0o755)
        let world = try CleanupWorld("hook = \(hook)")
        _ = try await world.ensure("demo")
        try await world.live(days: 40)
        let told = try Files.readText("\(folder.path)/told")
        for event in ["suspend", "notice", "trash", "gone"] {
            #expect(told.components(separatedBy: "\"event\" : \"\(event)\"").count == 2, "\(told)")
        }
        #expect(told.contains("\"owner\" : \"alice\""))
        for (script, word) in [("cat >/dev/null; exit 3", "status 3"), ("sleep 60", "did not end within 1 s")] {
            try Files.write(hook, Array("#!/bin/sh\n\(script)\n".utf8), mode: 0o755)
            let failing = try CleanupWorld("hook = \(hook)\nhook-timeout = 1\ndelete-after = never\nshutdown-after = 1")
            _ = try await failing.ensure("demo")
            let log = EventLog()
            for _ in 0..<3 {
                failing.clock.advance(hours: 24)
                _ = try await failing.devhost.cleanUp(progress: log.handler)
            }
            #expect(log.texts.filter { $0.contains(word) }.count == 1, "\(log.texts)")
            #expect(try await failing.devhost.describe(VMName("demo")).state == .suspended)
        }
    }
}
