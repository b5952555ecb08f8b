import Testing

@testable import DevhostCore

/// `[access] destroy`.
@Suite struct AccessTests {
    private let bob = Caller(userID: 1001, name: "bob", isElevated: true)
    private let admin = Caller(userID: 1002, name: "carol", isElevated: true, isAdministrator: true)
    private let root = Caller(userID: 0, name: "root", isElevated: false)

    @Test func anyoneMayDestroyWhereNothingElseIsSaid() async throws {
        let test = try TestDevhost()
        try await test.devhost().ensure(try test.request("demo"))
        #expect(try await test.devhost(caller: bob).rebuild(VMName("demo")).state == .running)
        #expect(try await test.devhost(caller: bob).destroy(VMName("demo")))
    }

    @Test func onlyTheOwnerDoesWhatCannotBeUndone() async throws {
        let test = try TestDevhost(more: "[access]\ndestroy = owner")
        let name = try VMName("demo")
        let others = test.devhost(caller: bob)
        let before = try await test.devhost().ensure(try test.request("demo")).record
        let error = await expectError(.permissionDenied, containing: "it belongs to alice, and you are bob") {
            try await others.destroy(name)
        }
        #expect(error?.nextStep?.contains("devhost-admins") == true)
        await expectError(.permissionDenied) { try await others.rebuild(name) }
        #expect(try await others.describe(name).state == .running)
        #expect(try others.records.require(name) == before)
        // What can be undone is for everybody who shares.
        try await others.shutDown(name)
        try await others.start(name)
        #expect(try await others.destroy(VMName("nobody")) == false, "what is not there is nobody's")
        #expect(try await test.devhost().destroy(name))
    }

    @Test func administratorsStandAboveIt() async throws {
        let test = try TestDevhost(more: "[access]\ndestroy = owner")
        for (name, caller) in [("one", admin), ("two", root)] {
            try await test.devhost().ensure(try test.request(name))
            #expect(try await test.devhost(caller: caller).destroy(VMName(name)))
        }
    }

    @Test func whatHasNoOwnerOnRecordIsForAdministrators() async throws {
        let test = try TestDevhost(more: "[access]\ndestroy = owner")
        let devhost = test.devhost()
        let name = try VMName("demo")
        try await devhost.ensure(try test.request("demo"))
        try Files.write(test.configuration.layout.record(name), Array("{".utf8), mode: 0o644)
        await expectError(.permissionDenied, containing: "has no owner on record") { try await devhost.destroy(name) }
        #expect(try await test.devhost(caller: admin).destroy(name))
        #expect(try await test.leftovers(of: "demo", devhost).isEmpty)
    }

    @Test func anEnsureOfAVMWithoutAnOwnerTakesNoOwnership() async throws {
        let test = try TestDevhost(more: "[access]\ndestroy = owner\n[limits]\nuser-vms = 1\nuser-memory = 2G")
        let devhost = test.devhost()
        let name = try VMName("old")
        var request = try test.request("old")
        request.memory = try MemorySize("1G")
        var record = try await devhost.ensure(request).record
        record.owner = nil
        try devhost.records.save(record)
        let others = test.devhost(caller: bob)
        var mine = try test.request("mine")
        mine.memory = try MemorySize("512M")
        try await others.ensure(mine)
        try await others.shutDown(name)
        #expect(try await others.start(name).record.owner == nil)
        #expect(try await others.ensure(request).record.owner == nil)
        // What it grows by counts for whoever lets it grow.
        request.memory = try MemorySize("2G")
        await expectError(.refused, containing: "bob would have 2.5 GiB of memory") { try await others.ensure(request) }
        await expectError(.permissionDenied, containing: "has no owner on record") { try await others.destroy(name) }
        let findings = try await devhost.diagnose().findings.filter { $0.subject == "VM old" }
        #expect(findings.contains { $0.problem.contains("no owner") && $0.remedy?.contains("user") == true })
        // An owner is given by hand, in the record.
        record = try devhost.records.require(name)
        record.owner = "bob"
        try devhost.records.save(record)
        #expect(try await others.destroy(name))
    }
}
