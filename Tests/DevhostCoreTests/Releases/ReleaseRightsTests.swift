import FoundationEssentials
import Glibc
import Testing

@testable import DevhostBase
@testable import DevhostCore

/// Who may publish what where, how much of it, and what it takes to have it gone.
@Suite struct ReleaseRightsTests {
    private let test: TestDevhost
    private let channel: ChannelName
    private let image: String

    init() throws {
        test = try TestDevhost()
        channel = try ChannelName("team")
        image = test.image.path
    }

    private var path: String { "\(test.configuration.layout.catalog)/team" }

    private func devhost(
        _ name: String, isAdministrator: Bool = false, _ change: (inout ChannelRules) -> Void = { _ in }
    ) -> Devhost {
        var configuration = test.configuration
        change(&configuration.channels)
        let caller = Caller(
            userID: name == "root" ? 0 : 1000, name: name, isElevated: name != "root", isAdministrator: isAdministrator)
        let same = test.devhost(caller: caller)
        return Devhost(
            configuration: configuration, caller: caller, clock: RealClock(), probe: AnsweringProbe(),
            libvirt: same.libvirt)
    }

    private func publish(_ devhost: Devhost, _ release: String, in channel: String = "team") async throws {
        try await devhost.publish(
            image: image, as: try ReleaseName(release), in: try ChannelName(channel),
            channelURL: try ResourceURL("https://example.com/channel.tar.xz"))
    }

    private func remove(_ devhost: Devhost, _ releases: String..., force: Bool = false) async throws -> [String] {
        try await devhost.remove(releases: try releases.map { try ReleaseName($0) }, from: channel, force: force).map {
            "\($0)"
        }
    }

    private func latest() async throws -> String? {
        try await test.devhost().catalog.metadata(channel, nil).releaseName
    }

    @Test func aChannelBelongsToWhoPublishedIntoItFirst() async throws {
        let (alice, bob) = (devhost("alice"), devhost("bob"))
        try await publish(alice, "1")
        await expectError(.permissionDenied, containing: "it belongs to alice, and you are bob") {
            try await publish(bob, "2")
        }
        await expectError(.permissionDenied, containing: "belongs to alice") { try await remove(bob, "1") }
        await expectError(.permissionDenied, containing: "belongs to alice") {
            try await bob.remove(channel: channel)
        }
        #expect(try await latest() == "1")
        try await publish(alice, "2")
        try await publish(devhost("carol", isAdministrator: true), "3")
        await expectError(.permissionDenied) { try await publish(bob, "4") }
        try await publish(bob, "1", in: "bobs")
        try await publish(devhost("bob") { $0.access = .anyone }, "5")
        #expect(try await latest() == "5")
        // What counts for one can be taken away again.
        #expect(try await remove(bob, "5") == ["5"])
        await expectError(.permissionDenied) { try await remove(bob, "5", "3") }
        await expectError(.permissionDenied, containing: "for administrators") {
            try await publish(devhost("alice") { $0.access = .admins }, "6")
        }
        let listed = devhost("bob") { $0.publishers = [channel: ["bob"]] }
        try await publish(listed, "7")
        await expectError(.permissionDenied, containing: "lists others") {
            try await publish(devhost("alice") { $0.publishers = [channel: ["bob"]] }, "8")
        }
        #expect(try await latest() == "7")
        #expect(
            try Files.names(in: path).filter { $0.hasSuffix(".qcow2") } == ["1.qcow2", "2.qcow2", "3.qcow2", "7.qcow2"])
    }

    @Test func aChannelOfAnOlderVersionIsNobodysAndBecomesNobodys() async throws {
        try await test.devhost().catalog.publish(image: image, as: try ReleaseName("1"), in: channel, from: nil)
        await expectError(.permissionDenied, containing: "no owner on record") {
            try await publish(devhost("bob"), "2")
        }
        try await publish(devhost("carol", isAdministrator: true), "2")
        await expectError(.permissionDenied, containing: "no owner on record") {
            try await publish(devhost("bob"), "3")
        }
        let finding = try #require(
            try await test.devhost().diagnose().findings.first { $0.subject == "channel team" })
        #expect(finding.severity == .note && finding.problem.hasSuffix("published 1"), "\(finding)")
        #expect(finding.remedy?.contains("[releases] publishers") == true)
        // Who is listed takes the release over by publishing it again.
        try await test.devhost().catalog.publish(image: image, as: try ReleaseName("1"), in: channel, from: nil)
        let listed = devhost("bob") { $0.publishers = [channel: ["bob"]] }
        try await listed.publish(image: image, as: try ReleaseName("1"), in: channel)
        #expect(try await test.devhost().diagnose().findings.allSatisfy { $0.subject != "channel team" })
    }

    @Test func releasesAreCountedForWhoPublishedThem() async throws {
        let alice = devhost("alice") { $0.userReleases = 2 }
        try await publish(alice, "1")
        try await publish(alice, "1", in: "other")
        await expectError(.refused, containing: "alice would have 3 releases, where [releases] user-releases allows 2")
        {
            try await publish(alice, "2")
        }
        await expectError(.refused) { try await publish(alice, "1", in: "third") }
        #expect(!Files.exists("\(test.configuration.layout.catalog)/third"))
        try await publish(alice, "1")
        try await publish(devhost("bob") { $0.userReleases = 2 }, "1", in: "bobs")
        _ = try await remove(alice, "1")
        try await publish(alice, "2")
        let size = try Files.size(image)
        let small = devhost("alice") { $0.userSize = 3 * size - 1 }
        await expectError(.refused, containing: "[releases] user-size allows") { try await publish(small, "3") }
        try await publish(devhost("alice") { $0.userSize = 3 * size }, "3")
        for number in 1...4 { try await publish(devhost("root") { $0.userReleases = 1 }, "\(number)", in: "roots") }
    }

    @Test func theLatestReleaseThatIsLeftFollowsAndTheChannelGoesWithItsLast() async throws {
        let alice = devhost("alice")
        for name in ["2024_2", "2024_10", "2024_9"] { try await publish(alice, name) }
        #expect(try await remove(alice, "2024_2", "none") == ["2024_2"])
        #expect(try await latest() == "2024_9")
        #expect(try await remove(alice, "2024_9") == ["2024_9"])
        #expect(try await latest() == "2024_10")
        #expect(try await alice.catalog.releases(of: channel).map { "\($0.name)" } == ["2024_10"])
        let index = "\(test.configuration.layout.catalog)/index.json"
        #expect(try Files.readText(index).contains("team"))
        #expect(try await remove(alice, "2024_10", "2024_9") == ["2024_10"])
        #expect(!Files.exists(path))
        #expect(try !Files.readText(index).contains("team"))
        #expect(try await remove(alice, "2024_10").isEmpty)
        // The name is free again.
        try await publish(devhost("bob"), "1")
        try await publish(devhost("bob"), "2")
        try Files.write("\(path)/.3.qcow2.part", [1], mode: 0o600)
        #expect(try await devhost("bob").remove(channel: channel).count == 2)
        #expect(!Files.exists(path))
        #expect(try await devhost("bob").remove(channel: channel).isEmpty)
        let entries = try AuditLog(layout: test.configuration.layout).entries().filter { $0.event == .end }
        #expect(entries.contains { $0.verb == "release publish" && $0.object == "team/2024_2" && $0.user == "alice" })
        #expect(entries.contains { $0.verb == "release rm" && $0.object == "team/2024_10,2024_9" })
        #expect(entries.contains { $0.verb == "channel rm" && $0.object == "team" && $0.user == "bob" && $0.vm == "" })
    }

    @Test func aReleaseThatVMsWereMadeFromGoesOnlyByForceAndTheyKeepTheirImage() async throws {
        let alice = devhost("alice")
        try await publish(alice, "1")
        for (name, reference) in [("pinned", "fcrs://team/1"), ("latest", "fcrs://team/")] {
            var request = EnsureRequest(name: try VMName(name))
            request.release = try ReleaseReference(reference)
            try await alice.ensure(request)
        }
        try await publish(alice, "2")
        await expectError(.conflict, containing: "latest, pinned were made from") { try await remove(alice, "1", "2") }
        await expectError(.conflict) { try await alice.remove(channel: channel) }
        #expect(try await alice.catalog.releases(of: channel).count == 2)
        #expect(try await remove(alice, "2") == ["2"])
        #expect(try await remove(alice, "1", force: true) == ["1"])
        var again = EnsureRequest(name: try VMName("pinned"))
        #expect(try await alice.ensure(again).state == .running)
        again.release = try ReleaseReference("fcrs://team/1")
        await expectError(.notFound, containing: "no release 1 in the channel team") { try await alice.ensure(again) }
        #expect(try await alice.rebuild(VMName("pinned")).state == .running)
    }

    @Test func anImageThatGrowsWhileItIsCopiedFillsNoDisk() async throws {
        let observer = Growing(path: image, at: ".1.qcow2.part")
        await expectError(.refused, containing: "grows while it is copied") {
            try await Effects.$observer.withValue(observer) { try await publish(devhost("alice"), "1") }
        }
        #expect(!Files.exists(path))
        let copy = "\(test.folder.path)/copy"
        let source = try FileDescriptor.open(image, O_RDONLY)
        let size = try source.size(path: image)
        let target = try FileDescriptor.open(copy, O_RDWR | O_CREAT, mode: 0o600)
        let run = FileCopy(source: source, name: "image", target: target, path: copy, progress: { _ in })
        await expectError(.refused, containing: "grows while it is copied") {
            try run.run(maximum: .max) { _ in try Growing.grow(image) }
        }
        #expect(try Files.size(copy) <= size)
    }

    /// Writes to a file at an effect of another.
    private struct Growing: EffectObserver {
        let path: String
        let at: String

        func willPerform(_ effect: Effect) throws {
            if effect.description.hasSuffix(at), effect.description.hasPrefix("create") { try Self.grow(path) }
        }

        static func grow(_ path: String) throws {
            let file = try FileDescriptor.open(path, O_WRONLY | O_APPEND)
            try file.write([UInt8](repeating: 0, count: 3 << 20), path: path)
        }
    }

    @Test func whatKilledPublicationsLeftIsFoundAndGoesWithTheNext() async throws {
        let alice = devhost("alice")
        try await publish(alice, "1")
        for name in ["2", "3"] { try Files.write("\(path)/.\(name).qcow2.part", [1], mode: 0o600) }
        let empty = "\(test.configuration.layout.catalog)/empty"
        try Files.createDirectory(empty, mode: 0o755)
        #expect(try alice.catalog.survey()?.leftovers == 2)
        let found = try await alice.diagnose(mending: true).findings.filter { $0.subject == "catalog" }
        #expect(found.map(\.mending) == [.done])
        #expect(try alice.catalog.survey()?.leftovers == 0)
        try Files.write("\(path)/.2.qcow2.part", [1], mode: 0o600)
        try await publish(alice, "1", in: "other")
        #expect(try alice.catalog.survey()?.leftovers == 0 && !Files.exists(empty))
        try Files.remove("\(path)/1.json")
        #expect(
            try await alice.diagnose().findings.contains {
                $0.subject == "channel team" && $0.problem == "half-made or half-removed: 1" && $0.severity == .warning
            })
        #expect(try await remove(alice, "1") == ["1"])
        #expect(!Files.exists(path))
    }

    @Test func whatDevhostCfgSaysOfChannelsIsRead() throws {
        let rules = try Configuration(
            text: """
                [releases]
                publish = admins
                publishers =
                    team alice bob
                    fc-dev  carol
                user-releases = none
                user-size = 2G
                """, source: "devhost.cfg"
        ).channels
        let wanted = ChannelRules(
            access: .admins, publishers: [channel: ["alice", "bob"], try ChannelName("fc-dev"): ["carol"]],
            userReleases: nil, userSize: 2 << 30)
        #expect(rules == wanted)
        #expect(try Configuration(text: "", source: "devhost.cfg").channels == ChannelRules())
        for line in [
            "publish = all", "publishers = team", "publishers = ../x bob", "user-size = much", "user-releases = -1",
        ] {
            #expect(throws: DevhostError.self, "\(line)") {
                try Configuration(text: "[releases]\n\(line)\n", source: "devhost.cfg")
            }
        }
    }
}
