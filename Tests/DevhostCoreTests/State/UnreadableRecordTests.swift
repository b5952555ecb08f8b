import Testing

@testable import DevhostBase
@testable import DevhostCore

/// Records that cannot be read, or could not be read again: what they hold stays held.
@Suite struct UnreadableRecordTests {
    private let name: VMName
    private let bob = Caller(userID: 1001, name: "bob", isElevated: true)

    init() throws { name = try VMName("demo") }

    /// A key whose comment fills its line.
    private static func longKey(_ number: Int) throws -> AuthorizedKey {
        let start = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJhc2U= \(number)-"
        return try AuthorizedKey(start + String(repeating: "\"", count: 16384 - start.utf8.count))
    }

    @Test func moreKeysThanARecordHoldsAreRefusedWithTheirNumberAndTheirBytes() async throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        var request = try test.request("demo")
        request.authorizedKeys = try (0..<80).map(Self.longKey)
        await expectError(.invalidArgument, containing: "80 authorized keys of 1310720 bytes are too many") {
            try await devhost.ensure(request)
        }
        #expect(try await test.leftovers(of: "demo", devhost).isEmpty)
        // As many as are taken make a record that can be read.
        request.authorizedKeys = try (0..<16).map(Self.longKey)
        try await devhost.ensure(request)
        #expect(try devhost.records.require(name).authorizedKeys.count == 16)
        await expectError(.invalidArgument, containing: "80 authorized keys") {
            try await devhost.clone(name, as: VMName("copy"), authorizedKeys: (0..<80).map(Self.longKey))
        }
        request = EnsureRequest(name: name)
        request.aliases = try (0...Alias.most).map { try Alias("a\($0)") }
        await expectError(.invalidArgument, containing: "1001 aliases are too many: a VM takes 1000") {
            try await devhost.ensure(request)
        }
    }

    @Test func aRecordThatCouldNotBeReadAgainIsNotWritten() throws {
        let test = try TestDevhost()
        let records = test.devhost().records
        var record = VMRecord(name: name)
        record.owner = "alice"
        try records.save(record)
        record.authorizedKeys = try (0..<80).map(Self.longKey)
        #expect(throws: DevhostError.self) { try records.save(record) }
        #expect(try records.require(name).authorizedKeys.isEmpty)
        // What a version before wrote is read, and may be written, or the VM could not be stopped.
        let encoded = try JSONCoding.encode(record)
        try Files.write(test.configuration.layout.record(name), encoded, mode: 0o644)
        record = try records.require(name)
        record.trashed = try Timestamp("2026-01-01T00:00:00")
        try records.save(record)
        #expect(try records.find(name)?.trashed != nil)
    }

    /// Contents that no version reads, of a VM of alice's with the id 5 and 3 GiB of memory.
    static let contents = [
        #"{"name": "demo", "user": "alice", "id": 5, "memory": 3072, "online": true, "disk_size": "9G", "aliases": ["#,
        #"{"name": "demo", "user": "alice", "id": 5, "memory": 3072, "online": true, "disk_size": "9G", "aliases": ["<x/>"]}"#,
        #"{"user": "alice", "id": 5, "memory": 3072, "online": true, "disk_size": "9G", "location": {"later": "\"user\": \"bob\""}}"#,
        #"{"memory": 3072, "x": [{"user": "bob", "id": 9}], "id": 5, "disk_size": "9G", "user": "alice", "name": 1}"#,
        #"{"disk_size": "9G", "memory": 3072, "user": "alice", "id": 5, "online": true, "srv-mac": "#,
        #"{"user": "alice", "id": 5, "memory": 3072, "disk_size": "9G", "host-key": ""#
            + String(repeating: "x", count: 17 << 20) + #""}"#,
    ]

    @Test(arguments: contents)
    func whatCannotBeReadStillCountsAndHoldsItsId(_ content: String) async throws {
        let test = try TestDevhost(
            more: "[limits]\nuser-vms = 2\nuser-memory = 4G\nuser-disk = 20G\n[access]\ndestroy = owner")
        let devhost = test.devhost()
        try Files.createDirectory(test.configuration.layout.records, mode: 0o755)
        try Files.write(test.configuration.layout.record(name), Array(content.utf8), mode: 0o644)
        try Files.createDirectory(test.configuration.layout.state, mode: 0o755)
        try Files.write(test.configuration.layout.allocation, Array("4\n".utf8), mode: 0o644)
        #expect(throws: DevhostError.self) { try devhost.records.find(name) }
        #expect(try devhost.list(owner: "alice").map(\.name) == ["demo"])
        #expect(try devhost.headings(owner: "alice").map(\.name) == ["demo"])

        var request = try test.request("one")
        request.memory = try MemorySize("2G")
        request.diskSize = try DiskSize("4G")
        await expectError(.refused, containing: "used now: demo 3 GiB") { try await devhost.ensure(request) }
        request.memory = try MemorySize("512M")
        request.diskSize = try DiskSize("12G")
        await expectError(.refused, containing: "used now: demo 9 GiB") { try await devhost.ensure(request) }
        request.diskSize = try DiskSize("4G")
        let made = try await devhost.ensure(request).record
        #expect(made.id == VMIdentifier(6), "\(String(describing: made.id))")
        await expectError(.refused, containing: "[limits] user-vms allows 2; used now: demo 1, one 1") {
            try await devhost.ensure(try test.request("two"))
        }
        let findings = try await devhost.diagnose().findings.filter { $0.subject == "record demo" }
        #expect(findings.contains { $0.severity == .error && $0.reason.contains("alice") && $0.remedy != nil })
        await expectError(.permissionDenied, containing: "it belongs to alice") {
            try await test.devhost(caller: bob).destroy(name)
        }
        #expect(try await devhost.destroy(name))
    }

    @Test func aDomainAndANameHoldTheirAddressesWhereTheRecordTellsNothing() async throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        let layout = test.configuration.layout
        let first = try await devhost.ensure(try test.request("demo")).record
        let second = try await devhost.ensure(try test.request("other")).record
        try Files.write(layout.record(name), [], mode: 0o644)
        try Files.remove(layout.record(VMName("other")))
        // The counter says that both ids are to be given out again.
        try Files.write(layout.allocation, Array("0\n".utf8), mode: 0o644)
        let third = try await devhost.ensure(try test.request("third")).record
        #expect(third.id == VMIdentifier(3))
        #expect(![first.mac, second.mac].contains(third.mac) && ![first.ipv4, second.ipv4].contains(third.ipv4))
    }

    @Test func whereNothingTellsWhichIdIsHeldOnlyNewOnesAreGivenOut() async throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        let layout = test.configuration.layout
        try await devhost.ensure(try test.request("one"))
        try Files.write(layout.record(name), [], mode: 0o644)
        try Files.write(layout.allocation, Array("63\n".utf8), mode: 0o644)
        #expect(try await devhost.ensure(try test.request("two")).record.id == VMIdentifier(64))
        let error = await expectError(.insufficientSpace, containing: "may be that of demo, whose record") {
            try await devhost.ensure(try test.request("three"))
        }
        #expect(error?.nextStep?.contains("destroy demo") == true)
        try await devhost.destroy(name)
        #expect(try await devhost.ensure(try test.request("three")).record.id == VMIdentifier(2))
    }

    @Test func theDoctorNamesRecordsThatVersionsBeforeCannotRead() async throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        try await devhost.ensure(try test.request("demo"))
        var record = try devhost.records.require(name)
        record.authorizedKeys = try (0..<80).map(Self.longKey)
        try Files.write(test.configuration.layout.record(name), try JSONCoding.encode(record), mode: 0o644)
        let findings = try await devhost.diagnose().findings.filter { $0.subject == "record demo" }
        #expect(findings.contains { $0.problem.contains("no more than 1048576 are written") })
        // Fewer keys mend it.
        var request = EnsureRequest(name: name)
        request.authorizedKeys = []
        try await devhost.ensure(request)
        #expect(try await devhost.diagnose().findings.filter { $0.subject == "record demo" }.isEmpty)
    }
}
