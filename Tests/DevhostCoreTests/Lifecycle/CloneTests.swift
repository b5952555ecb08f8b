import Testing

@testable import DevhostCore

/// Clones on libvirt's mock driver, whose disks have no contents.
@Suite struct CloneTests {
    private let source: VMName
    private let name: VMName
    private let test: TestDevhost
    private let devhost: Devhost
    private let key: AuthorizedKey

    init() throws {
        source = try VMName("demo")
        name = try VMName("twin")
        test = try TestDevhost()
        devhost = test.devhost()
        key = try AuthorizedKey("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJhc2U= alice")
    }

    private func made() async throws -> VMRecord {
        var request = try test.request("demo")
        request.memory = try MemorySize("1G")
        request.aliases = [try Alias("app")]
        request.aliasPorts = [try AliasPort("app=http:8080")]
        request.authorizedKeys = [key]
        return try await devhost.ensure(request).record
    }

    @Test func aCloneIsLikeItsSourceAndSharesNoIdentity() async throws {
        let before = try await made()
        let bob = test.devhost(caller: Caller(userID: 1001, name: "bob", isElevated: true))
        let twin = try await bob.clone(source, as: name)
        #expect(twin.state == .running && !twin.record.isIncomplete && twin.record.cloneOf == nil)
        let record = twin.record
        #expect(
            record.memory == before.memory && record.diskSize == before.diskSize && record.aliases == before.aliases)
        #expect(record.aliasPorts == before.aliasPorts && record.imageHash == before.imageHash)
        #expect(record.channelURL == before.channelURL && record.imageURL == before.imageURL)
        #expect(record.owner == "bob" && record.authorizedKeys.isEmpty)
        #expect(record.id != before.id && record.mac != before.mac)
        #expect(record.ipv4 != before.ipv4 && record.ipv6 != before.ipv6)
        #expect(record.hostKey != before.hostKey)
        #expect(try await test.disks(of: "twin", devhost) == [0: before.imageHash], "it lies over the shared image")
        #expect(try devhost.records.require(source) == before)
        #expect(try await devhost.diagnose().findings.filter { $0.severity > .note }.isEmpty)
        #expect(try await bob.ensure(EnsureRequest(name: name)).record.ipv4 == record.ipv4)
        try await devhost.destroy(source)
        #expect(try await bob.rebuild(name).state == .running)
    }

    @Test func theOwnersKeysGoAlongAndOthersCanBeGiven() async throws {
        _ = try await made()
        #expect(try await devhost.clone(source, as: name).record.authorizedKeys == [key])
        let other = try AuthorizedKey("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG90aGVy other")
        let third = try await devhost.clone(source, as: VMName("third"), authorizedKeys: [other])
        #expect(third.record.authorizedKeys == [other])
    }

    @Test func aNameThatExistsIsRefused() async throws {
        _ = try await made()
        let other = try await devhost.ensure(try test.request("twin")).record
        await expectError(.alreadyExists, containing: "there is a VM twin") {
            try await devhost.clone(source, as: name)
        }
        await expectError(.alreadyExists) { try await devhost.clone(source, as: source) }
        #expect(try devhost.records.require(name) == other)
        await expectError(.notFound) { try await devhost.clone(VMName("nobody"), as: VMName("new")) }
        try test.setHosts("192.0.2.1 taken\n" + test.hosts())
        await expectError(.conflict) { try await devhost.clone(source, as: VMName("taken")) }
    }

    @Test func aVMThatIsOffStaysOff() async throws {
        _ = try await made()
        try await devhost.shutDown(source)
        #expect(try await devhost.clone(source, as: name).state == .running)
        #expect(try await devhost.describe(source).state == .off)
    }

    @Test func aCloneCountsAgainstTheLimitsOfWhoMakesIt() async throws {
        let test = try TestDevhost(more: "[limits]\nuser-vms = 1")
        try await test.devhost().ensure(try test.request("demo"))
        await expectError(.refused, containing: "user-vms") { try await test.devhost().clone(source, as: name) }
        #expect(try await test.leftovers(of: "twin", test.devhost()).isEmpty)
        let bob = test.devhost(caller: Caller(userID: 1001, name: "bob", isElevated: true))
        #expect(try await bob.clone(source, as: name).state == .running)
    }

    @Test func clonesInOppositeDirectionsDoNotWaitForEachOther() async throws {
        _ = try await made()
        try await devhost.ensure(try test.request("other"))
        let other = try VMName("other")
        async let one = devhost.clone(source, as: VMName("one"))
        async let two = devhost.clone(other, as: VMName("two"))
        async let refused: Void = {
            await expectError(.alreadyExists) { try await devhost.clone(source, as: other) }
            await expectError(.alreadyExists) { try await devhost.clone(other, as: source) }
        }()
        #expect(try await one.state == .running)
        #expect(try await two.state == .running)
        await refused
    }

    @Test func theFirstBootOfACloneReplacesWhatItsSourceWas() throws {
        let guest = GuestData(
            record: VMRecord(name: name), network: test.configuration.network, gateway: devhost.plan.gateway,
            authorizedKeys: [])
        let pair = SSHKeyPair(privateKey: [1], publicKey: "ssh-ed25519 AAAA")
        let id = String(repeating: "ab", count: 16)
        let clone = String(
            decoding: try FirstBoot(guest: guest, hostKey: pair, newMachineID: id).rendered(), as: UTF8.self)
        let lines = clone.split(separator: "\n")
        #expect(lines.filter { $0.contains(" - ") && !$0.hasPrefix("d ") }.allSatisfy { $0.hasPrefix("f+~ ") })
        for path in ["/etc/machine-id", "/etc/hostname", "/etc/ssh/ssh_host_ed25519_key", "/etc/nixos/enc.json"] {
            #expect(lines.contains { $0.hasPrefix("f+~ \(path) ") }, "\(path)")
        }
        let plain = String(decoding: try FirstBoot(guest: guest, hostKey: pair).rendered(), as: UTF8.self)
        #expect(!plain.contains("f+~") && !plain.contains("machine-id"))
    }
}
