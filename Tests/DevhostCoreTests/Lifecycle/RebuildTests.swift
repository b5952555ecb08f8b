import Synchronization
import Testing

@testable import DevhostCore

@Suite struct RebuildTests {
    let test: TestDevhost
    let devhost: Devhost
    let name: VMName

    init() throws {
        test = try TestDevhost()
        devhost = test.devhost()
        name = try VMName("demo")
    }

    /// A VM as a rebuild finds it.
    private func made() async throws -> VMRecord {
        var request = try test.request("demo")
        request.aliases = [try Alias("app")]
        request.memory = try MemorySize("512M")
        return try await devhost.ensure(request).record
    }

    /// The record without what a rebuild is meant to change.
    private func identity(_ record: VMRecord) -> VMRecord {
        var record = record
        record.diskNumber = 0
        record.lastDeployDate = nil
        record.imageURL = nil
        record.imageHash = nil
        record.releaseName = nil
        record.releaseReference = nil
        record.channelURL = nil
        record.guestDigest = nil
        record.diskSize = nil
        return record
    }

    @Test func theDiskIsNewAndAllElseStays() async throws {
        let before = try await made()
        let bob = test.devhost(caller: Caller(userID: 1001, name: "bob", isElevated: true))
        let rebuilt = try await bob.rebuild(name)
        #expect(rebuilt.state == .running && rebuilt.record.diskNumber == 1)
        #expect(identity(rebuilt.record) == identity(before))
        #expect(rebuilt.record.imageHash == before.imageHash && rebuilt.record.channelURL == before.channelURL)
        #expect(rebuilt.record.imageURL == before.imageURL && rebuilt.record.guestDigest == before.guestDigest)
        #expect(try await test.disks(of: "demo", devhost) == [1: before.imageHash])
        #expect(try await test.runsOnItsDisk(rebuilt.record, devhost))
        #expect(try await devhost.rebuild(name).record.diskNumber == 2)

        let observer = StepObserver()
        try await Effects.$observer.withValue(observer) { _ = try await devhost.ensure(EnsureRequest(name: name)) }
        #expect(observer.effectsBesideAudit.allSatisfy { $0.hasSuffix("/demo.json") }, "\(observer.effects)")
        #expect(try await devhost.destroy(name))
        #expect(try await test.leftovers(of: "demo", devhost).isEmpty)
    }

    @Test func aNamedReleaseIsRecordedAndTheNextRebuildUsesIt() async throws {
        _ = try await made()
        let channel = try ChannelName("team")
        let url = try ResourceURL("https://example.com/team.tar.xz")
        try await devhost.publish(
            image: test.otherImage.path, as: try ReleaseName("2024_1"), in: channel, channelURL: url)
        let rebuilt = try await devhost.rebuild(name, release: .catalog(channel, nil)).record
        #expect(rebuilt.releaseReference == "fcrs://team/" && rebuilt.releaseName == "2024_1")
        #expect(rebuilt.channelURL == url.description)
        #expect(rebuilt.diskSize?.bytes == 50 << 30)
        try await devhost.publish(image: test.image.path, as: try ReleaseName("2024_2"), in: channel, channelURL: url)
        let again = try await devhost.rebuild(name).record
        #expect(again.imageHash == rebuilt.imageHash && again.releaseName == "2024_1", "the very same image")
        #expect(again.releaseReference == "fcrs://team/")
        let latest = try await devhost.rebuild(name, release: .catalog(channel, nil)).record
        #expect(latest.imageHash != rebuilt.imageHash && latest.releaseName == "2024_2")
        #expect(try await test.disks(of: "demo", devhost) == [3: latest.imageHash])
    }

    @Test func aLargerImageMakesALargerDisk() async throws {
        var request = try test.request("demo")
        request.diskSize = try DiskSize("1G")
        try await devhost.ensure(request)
        let rebuilt = try await devhost.rebuild(name, release: .image(test.otherImage, channel: nil)).record
        #expect(rebuilt.diskSize == (try DiskSize("2G")))
        #expect(rebuilt.channelURL == "https://example.com/channel.tar.xz", "what is not said stays")
    }

    @Test func aLargerDiskIsCountedFromTheBeginningAndTheOldOneKeepsItsSize() async throws {
        var request = try test.request("demo")
        request.diskSize = try DiskSize("1G")
        let before = try await devhost.ensure(request).record
        let interrupted = Mutex<VMRecord?>(nil)
        let probe = VolumeProbe(test: test, silent: "demo.1.qcow2") { [devhost, name] in
            let record = try devhost.records.require(name)
            interrupted.withLock { $0 = $0 ?? record }
        }
        await expectError(.timedOut, containing: "keeps its old disk") {
            try await test.devhost(probe: probe).rebuild(
                name, release: .image(test.otherImage, channel: nil), startLimit: .milliseconds(200))
        }
        #expect(try devhost.records.require(name) == before)
        let record = try #require(interrupted.withLock { $0 })
        #expect(record.diskSize == (try DiskSize("2G")) && record.diskNumber == 0 && record.otherDisk == 1)

        // The same where the process ended there.
        for again in [request, EnsureRequest(name: name)] {
            try devhost.records.save(record)
            let after = try await devhost.ensure(again).record
            #expect(after.diskSize == before.diskSize && after.otherDisk == nil)
            let parts = VMParts(devhost: devhost, libvirt: try await devhost.libvirt(), name: name)
            #expect(try await parts.diskSize(0) == 1 << 30)
        }
    }

    @Test func aNewDiskWhoseGuestDoesNotAnswerGivesWayToTheOldOne() async throws {
        let before = try await made()
        let log = EventLog()
        let limited = test.devhost(probe: VolumeProbe(test: test, silent: "demo.1.qcow2"))
        let error = await expectError(.timedOut, containing: "demo keeps its old disk") {
            try await limited.rebuild(
                name, release: .image(test.otherImage, channel: nil), startLimit: .milliseconds(200),
                progress: log.handler)
        }
        #expect(error?.description.contains("did not answer") == true)
        #expect(log.texts.contains("bringing the old disk of demo back"))
        #expect(try devhost.records.require(name) == before)
        #expect(try await test.disks(of: "demo", devhost) == [0: before.imageHash])
        #expect(try await test.runsOnItsDisk(before, devhost))
        #expect(try await devhost.rebuild(name).record.diskNumber == 1)
    }

    @Test func aGuestThatNeverAnsweredStillGetsItsOldDiskBack() async throws {
        let before = try await made()
        let log = EventLog()
        await expectError(.timedOut, containing: "demo keeps its old disk") {
            try await test.devhost(probe: SilentProbe(), startLimit: .milliseconds(200)).rebuild(
                name, progress: log.handler)
        }
        #expect(log.texts.contains { $0.hasPrefix("demo is on its old disk and does not answer there either") })
        #expect(try devhost.records.require(name) == before)
        #expect(try await test.disks(of: "demo", devhost) == [0: before.imageHash])
        #expect(try await test.runsOnItsDisk(before, devhost))
    }

    @Test func aVMThatWasOffIsOffAgainAfterAFailure() async throws {
        _ = try await made()
        try await devhost.shutDown(name)
        let before = try devhost.records.require(name)
        await expectError(.timedOut, containing: "keeps its old disk") {
            try await test.devhost(probe: SilentProbe()).rebuild(name, startLimit: .milliseconds(200))
        }
        #expect(try devhost.records.require(name) == before)
        #expect(try await devhost.describe(name).state == .off)
        #expect(try await test.disks(of: "demo", devhost).keys.sorted() == [0])
        #expect(try await devhost.start(name).state == .running)
        #expect(try await test.runsOnItsDisk(before, devhost))
    }

    @Test func aReleaseThatCannotBeHadLeavesTheVMRunning() async throws {
        let before = try await made()
        let observer = StepObserver()
        await expectError(.notFound, containing: "keeps its old disk") {
            try await Effects.$observer.withValue(observer) {
                try await devhost.rebuild(name, release: .catalog(try ChannelName("none"), nil))
            }
        }
        #expect(observer.effects.allSatisfy { !$0.hasPrefix("libvirt:") }, "\(observer.effects)")
        #expect(try devhost.records.require(name) == before)
    }

    @Test func theImageOfAKeptDiskIsInUse() async throws {
        let before = try await made()
        let users = Mutex<[ListedImage]>([])
        let probe = VolumeProbe(test: test, silent: nil) { [test] in
            let images = try await test.devhost().images()
            users.withLock { $0 = images }
        }
        let after = try await test.devhost(probe: probe).rebuild(name, release: .image(test.otherImage, channel: nil))
        let used = users.withLock { $0.filter { $0.users == [name] }.map(\.sha256) }
        #expect(Set(used) == Set([before.imageHash, after.record.imageHash].compactMap(\.self)))
        #expect(try await devhost.pruneImages(olderThanDays: 0).removed.map(\.sha256) == [before.imageHash])
    }

    @Test func whatHasNeverBeenUpIsNotRebuilt() async throws {
        await expectError(.notFound) { try await devhost.rebuild(name) }
        try devhost.records.save(VMRecord(name: name))
        await expectError(.conflict, containing: "ensure demo") { try await devhost.rebuild(name) }
    }
}

/// Guests that answer, unless they run from a certain volume.
struct VolumeProbe: GuestProbe {
    let test: TestDevhost
    let silent: String?
    var look: @Sendable () async throws -> Void = {}

    func answers(_ address: IPv4Address, limit: Duration) async throws -> Bool {
        try await look()
        guard let silent else { return true }
        return try await !test.devhost().libvirt().isDomain(VMName("demo"), runningOnVolume: silent)
    }
}
