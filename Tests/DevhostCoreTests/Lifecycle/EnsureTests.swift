import Glibc
import Synchronization
import Testing

@testable import DevhostBase
@testable import DevhostCore

@Suite struct EnsureTests {
    let test: TestDevhost
    let devhost: Devhost

    init() throws {
        test = try TestDevhost()
        devhost = test.devhost()
    }

    @Test func aNewVMGetsEverythingAndDestroyLeavesNothing() async throws {
        var request = try test.request("demo")
        request.aliases = [try Alias("app")]
        let made = try await devhost.ensure(request)
        #expect(made.state == .running)
        #expect(made.record.owner == "alice")
        #expect(made.record.id == VMIdentifier(1))
        #expect(made.record.mac?.description == "02:03:00:00:00:01")
        #expect(made.record.ipv4?.description == "10.12.0.2")
        #expect(made.record.ipv6?.description == "fd64:6576:686f:7374:3:ff:fe00:1")
        #expect(made.record.channelURL == "https://example.com/channel.tar.xz")
        #expect(made.record.imageURL == test.image.description)
        #expect(made.record.hostKey?.hasPrefix("ssh-ed25519 ") == true)
        #expect(!made.record.isIncomplete)
        #expect(try devhost.list().map(\.name) == ["demo"])
        #expect(try test.hosts().contains("10.12.0.2 demo\n"))
        #expect(
            try Files.readText("\(test.configuration.layout.dnsNames)/demo")
                == "10.12.0.2 demo\nfd64:6576:686f:7374:3:ff:fe00:1 demo\n")

        #expect(try await devhost.destroy(VMName("demo")))
        #expect(try await test.leftovers(of: "demo", devhost).isEmpty)
        #expect(try await !devhost.destroy(VMName("demo")), "a second destroy has nothing to do and is no error")
    }

    @Test func whatIsNotSaidStaysAsItIs() async throws {
        var request = try test.request("demo")
        request.memory = try MemorySize("1G")
        request.cpus = try CPUCount(1)
        request.aliases = [try Alias("app")]
        let first = try await devhost.ensure(request).record
        let again = try await devhost.ensure(EnsureRequest(name: request.name)).record
        #expect(again.memory == first.memory && again.cpus == first.cpus && again.aliases == first.aliases)
        #expect(again.imageURL == first.imageURL && again.channelURL == first.channelURL)
    }

    @Test func aSecondEnsureChangesNothingOutsideTheRecord() async throws {
        let request = try test.request("demo")
        try await devhost.ensure(request)
        let observer = StepObserver()
        try await Effects.$observer.withValue(observer) { _ = try await devhost.ensure(request) }
        #expect(observer.effects.filter { $0.hasPrefix("libvirt:") }.isEmpty, "\(observer.effects)")
        #expect(observer.effectsBesideAudit.allSatisfy { $0.hasSuffix("/demo.json") }, "\(observer.effects)")
    }

    @Test func theOwnerNeverChanges() async throws {
        try await devhost.ensure(try test.request("demo"))
        let bob = test.devhost(caller: Caller(userID: 1001, name: "bob", isElevated: true))
        #expect(try await bob.ensure(EnsureRequest(name: VMName("demo"))).record.owner == "alice")
    }

    @Test func theChannelFollowsOnlyWhereItMay() async throws {
        try await devhost.ensure(try test.request("demo"))
        var request = try test.request("demo")
        request.release = .image(test.image, channel: try ResourceURL("https://example.com/next.tar.xz"))
        request.updatesChannel = false
        #expect(try await devhost.ensure(request).record.channelURL == "https://example.com/channel.tar.xz")
        request.updatesChannel = true
        #expect(try await devhost.ensure(request).record.channelURL == "https://example.com/next.tar.xz")
    }

    /// The channel moves to a release with another image and another channel URL.
    @Test func aMovedChannelReachesTheVMAndItsImageStays() async throws {
        let channel = try ChannelName("team")
        func publish(_ release: String, _ image: ResourceURL) async throws {
            try await devhost.publish(
                image: image.path, as: try ReleaseName(release), in: channel,
                channelURL: try ResourceURL("https://example.com/\(release).tar.xz"))
        }
        try await publish("2024_1", test.image)
        var request = EnsureRequest(name: try VMName("demo"))
        request.release = .catalog(channel, nil)
        let first = try await devhost.ensure(request).record
        #expect(first.releaseName == "2024_1" && first.channelURL == "https://example.com/2024_1.tar.xz")
        try await publish("2024_2", test.otherImage)
        request.updatesChannel = false
        #expect(try await devhost.ensure(request).record.channelURL == first.channelURL)
        request.updatesChannel = true
        let moved = try await devhost.ensure(request).record
        #expect(moved.channelURL == "https://example.com/2024_2.tar.xz")
        #expect(moved.imageHash == first.imageHash && moved.releaseName == "2024_1" && moved.imageURL == first.imageURL)
        #expect(try await test.disks(of: "demo", devhost) == [0: first.imageHash])
    }

    @Test func aReleaseWithAnotherImageThanOnceIsRefusedAlsoWhereItIsOnlyShown() async throws {
        let channel = try ChannelName("team")
        let release = try ReleaseName("2024_1")
        try await devhost.publish(image: test.image.path, as: release, in: channel)
        let reference = ReleaseReference.catalog(channel, release)
        var request = EnsureRequest(name: try VMName("demo"))
        request.release = reference
        let first = try #require(try await devhost.ensure(request).record.imageHash)
        let shown = try #require(try await devhost.describe(reference).imageHash)
        #expect(shown == first)
        let folder = "\(test.configuration.layout.catalog)/team"
        let other = try SHA256Hasher.digest([])
        for file in try Files.names(in: folder) where file.hasSuffix(".json") {
            let text = try Files.readText("\(folder)/\(file)")
            try Files.write(
                "\(folder)/\(file)",
                Array(text.replacing(first.subresourceIntegrity, with: other.subresourceIntegrity).utf8), mode: 0o644)
        }
        request = EnsureRequest(name: try VMName("other"))
        request.release = reference
        for look in [{ _ = try await devhost.describe(reference) }, { _ = try await devhost.ensure(request) }] {
            await #expect { try await look() } throws: {
                ($0 as? DevhostError)?.code == .refused && "\($0)".contains("\(first)") && "\($0)".contains("\(other)")
            }
        }
        #expect(try await test.leftovers(of: "other", devhost).isEmpty)
    }

    @Test func aSmallerDiskIsRefusedAndNothingChanges() async throws {
        var request = try test.request("demo")
        request.diskSize = try DiskSize("10G")
        let before = try await devhost.ensure(request).record
        request.diskSize = try DiskSize("5G")
        request.memory = try MemorySize("512M")
        await #expect { try await devhost.ensure(request) } throws: { error in
            (error as? DevhostError)?.code == .refused && "\(error)".contains("10G") && "\(error)".contains("5G")
        }
        #expect(try devhost.records.require(request.name) == before)
    }

    @Test func aDiskIsNeverSmallerThanItsImage() async throws {
        var request = try test.request("demo")
        request.diskSize = try DiskSize("512M")
        await #expect { try await devhost.ensure(request) } throws: {
            ($0 as? DevhostError)?.code == .refused && "\($0)".contains("1G") && "\($0)".contains("512M")
        }
        #expect(try await test.leftovers(of: "demo", devhost).isEmpty)
    }

    @Test func aNewVMWithoutAnImageIsAnErrorAndLeavesNothing() async throws {
        await #expect { try await devhost.ensure(EnsureRequest(name: VMName("demo"))) } throws: {
            ($0 as? DevhostError)?.code == .invalidArgument && "\($0)".contains("--image-url")
        }
        #expect(try devhost.list().isEmpty)
        #expect(try await test.leftovers(of: "demo", devhost).isEmpty)
    }

    @Test(arguments: ["localhost", "printer"]) func aNameThatMeansAnotherMachineIsRefused(_ name: String) async throws {
        try test.setHosts("192.0.2.1 printer printer.example.com\n")
        await #expect { try await devhost.ensure(try test.request(name)) } throws: {
            ($0 as? DevhostError)?.code == .conflict
        }
        #expect(try test.hosts() == "192.0.2.1 printer printer.example.com\n")
    }

    @Test func aDomainOfSomebodyElseIsNeverTouched() async throws {
        let libvirt = try await devhost.libvirt()
        let name = try VMName("foreign")
        let xml = "<domain type='test'><name>\(name)</name><memory>1024</memory><os><type>hvm</type></os></domain>"
        try await libvirt.defineDomain(name, xml: xml)
        for verb in [
            { _ = try await devhost.ensure(try test.request(name.description)) },
            { _ = try await devhost.destroy(name) },
        ] {
            await #expect { try await verb() } throws: { ($0 as? DevhostError)?.code == .conflict }
        }
        #expect(try await libvirt.domainState(name) == .off)
    }

    @Test func aRecordOfTheOldToolKeepsItsAddresses() async throws {
        let name = try VMName("old")
        var record = VMRecord(name: name)
        record.id = VMIdentifier(7)
        record.mac = MACAddress(id: VMIdentifier(7))
        record.ipv4 = try IPv4Address("10.12.0.5")
        record.owner = "bob"
        record.unknown = ["note": .string("kept")]
        try devhost.records.save(record)
        let made = try await devhost.ensure(try test.request("old")).record
        #expect(made.id == record.id && made.ipv4 == record.ipv4 && made.owner == "bob")
        #expect(made.unknown["note"] == .string("kept"))
        let xml = try await devhost.libvirt().networkXML(test.configuration.network.name)
        #expect(xml.contains("<host mac='02:03:00:00:00:07' ip='10.12.0.5'/>"))
        #expect(!xml.contains("<host mac='02:03:00:00:00:04'"), "the address that it holds is nobody else's")
        #expect(try await devhost.ensure(try test.request("new")).record.ipv4 != record.ipv4)
        try await devhost.destroy(name)
        let after = try await devhost.libvirt().networkXML(test.configuration.network.name)
        for pair in ["mac='02:03:00:00:00:04' ip='10.12.0.5'", "mac='02:03:00:00:00:07' ip='10.12.0.8'"] {
            #expect(after.contains("<host \(pair)/>"), "whoever gets this id next needs its addresses")
        }
    }

    @Test func aGuestThatNeverAnswersIsTakenAwayAndItsReasonIsKept() async throws {
        let silent = test.devhost(probe: SilentProbe())
        var request = try test.request("demo")
        request.startLimit = .milliseconds(200)
        await #expect { try await silent.ensure(request) } throws: { error in
            (error as? DevhostError)?.code == .timedOut && "\(error)".contains("10.12.0.2")
        }
        #expect(try await test.leftovers(of: "demo", devhost).isEmpty)
        let log = try devhost.consoleLog(request.name)
        #expect(log.isOfFailure && log.text.contains("did not answer"))
        #expect(try await devhost.ensure(try test.request("demo")).state == .running)
    }

    @Test func aConsoleIsFollowedFromWhereItWasRead() async throws {
        let name = try await devhost.ensure(try test.request("demo")).record.name
        let path = test.configuration.layout.consoleLog(name)
        try Files.createDirectory(Files.directory(of: path), mode: 0o711)
        try Files.write(path, Array("first\n".utf8), mode: 0o600)
        let log = try devhost.consoleLog(name)
        try Files.write(path, Array("first\nsecond\n".utf8), mode: 0o600)
        var parts: [String] = []
        try await devhost.followConsole(name, from: log.end) { part in
            parts.append(part)
            return false
        }
        #expect(log.text == "first\n" && parts == ["second\n"])
    }

    @Test func aConsoleThatIsRotatedLosesNothingAndEndsWithTheVM() async throws {
        let name = try await devhost.ensure(try test.request("demo")).record.name
        let path = test.configuration.layout.consoleLog(name)
        try Files.createDirectory(Files.directory(of: path), mode: 0o711)
        let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
        try file.write(Array("one \u{fc}".utf8.dropLast()), path: path)
        let log = try devhost.consoleLog(name)
        #expect(log.text == "one ")
        try file.write(Array("\u{fc}\n".utf8.suffix(2)), path: path)
        var text = ""
        var isRotated = false
        let isThere = try await devhost.followConsole(name, from: log.end) { part in
            text += part
            if part.isEmpty {
                if isRotated {
                    try? devhost.records.remove(name)
                } else {
                    // As virtlogd does it: the old file gets its last lines and another name, and a new one is begun.
                    try? file.write(Array("last\n".utf8), path: path)
                    try? Files.rename(path, to: "\(path).0")
                    try? Files.write(path, Array("a longer text than all that was in the old file\n".utf8), mode: 0o600)
                    isRotated = true
                }
            }
            return true
        }
        #expect(text == "\u{fc}\nlast\na longer text than all that was in the old file\n")
        #expect(!isThere)
    }

    @Test func aNewVMThatIsUpStaysWhereItCannotBeDescribed() async throws {
        let other = try await devhost.ensure(try test.request("other")).record
        try devhost.useStore.write(
            UseNotice(owner: "alice", lastUse: nil, date: Timestamp("2030-01-01T00:00:00"), idle: 0), of: other.name)
        let raw = try await devhost.libvirt().raw()
        let pool = HostPreparation.diskPool(test.configuration.network)
        let request = try test.request("demo")
        await #expect(throws: DevhostError.self) {
            // The notice about the other one is told when all is done.
            try await devhost.ensure(request) { event in
                if case .notice(let text) = event, text.contains("other") { try? raw.stopPool(pool) }
            }
        }
        #expect(try await devhost.libvirt().domainState(request.name) == .running)
        #expect(try await devhost.ensure(EnsureRequest(name: request.name)).record.isIncomplete == false)
    }

    @Test func anExistingVMIsNeverDestroyedByAFailingEnsure() async throws {
        try await devhost.ensure(try test.request("demo"))
        var request = EnsureRequest(name: try VMName("demo"))
        request.startLimit = .milliseconds(200)
        await #expect(throws: DevhostError.self) { try await test.devhost(probe: SilentProbe()).ensure(request) }
        #expect(try await devhost.describe(request.name).state == .running)
    }

    @Test func manyAtOnceGetIdentitiesOfTheirOwn() async throws {
        let made = try await withThrowingTaskGroup(of: VMRecord.self) { group in
            for number in 0..<16 {
                group.addTask { try await test.devhost().ensure(try test.request("vm\(number)")).record }
            }
            return try await group.reduce(into: [VMRecord]()) { $0.append($1) }
        }
        #expect(Set(made.map(\.id)).count == 16)
        #expect(Set(made.map(\.mac)).count == 16)
        #expect(Set(made.map(\.ipv4)).count == 16)
        #expect(try devhost.list().count == 16)
    }

    @Test func twoOfTheSameNameQueueAndSayForWhom() async throws {
        try await devhost.ensure(try test.request("demo"))
        let words = Mutex<[ProgressEvent]>([])
        let lock = try await devhost.lock(VMName("demo"), verb: "ensure", progress: { _ in })
        async let second = devhost.destroy(VMName("demo")) { event in words.withLock { $0.append(event) } }
        while words.withLock({ $0.isEmpty }) { await Task.yield() }
        #expect(words.withLock { $0.first } == .notice("waiting for 'ensure demo' of alice"))
        _ = consume lock
        #expect(try await second)
    }
}

/// A guest whose ssh never answers.
struct SilentProbe: GuestProbe {
    func answers(_ address: IPv4Address, limit: Duration) async throws -> Bool { false }
}
