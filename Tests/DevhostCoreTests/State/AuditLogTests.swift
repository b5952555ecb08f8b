import FoundationEssentials
import Testing

@testable import DevhostBase
@testable import DevhostCore

@Suite struct AuditLogTests {
    @Test func everyVerbLeavesTwoLines() async throws {
        let test = try TestDevhost(more: "[access]\ndestroy = owner")
        let devhost = test.devhost()
        let bob = test.devhost(caller: Caller(userID: 1001, name: "bob", isElevated: true))
        let name = try VMName("demo")
        var request = try test.request("demo")
        request.authorizedKeys = [try AuthorizedKey("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJhc2U= secret")]
        try await devhost.ensure(request)
        try await devhost.shutDown(name)
        try await devhost.start(name)
        await expectError(.permissionDenied) { try await bob.destroy(name) }
        try await devhost.destroy(name)

        let entries = try devhost.auditLog.entries()
        #expect(
            entries.filter { $0.event == .begin }.map(\.verb) == ["ensure", "shutdown", "start", "destroy", "destroy"])
        let ends = entries.filter { $0.event == .end }
        #expect(ends.map(\.result) == ["ok", "ok", "ok", "permissionDenied", "ok"])
        #expect(ends.map(\.user) == ["alice", "alice", "alice", "bob", "alice"])
        #expect(entries.allSatisfy { $0.vm == "demo" && $0.sudo && $0.uid >= 1000 })
        #expect(ends.allSatisfy { $0.seconds != nil })
        #expect(Set(entries.map(\.id)).count == 5)
        let layout = test.configuration.layout
        let text = try Files.readText(layout.auditLog)
        #expect(!text.contains("secret"))
        #expect(text.split(separator: "\n").count == 10)
        #expect(Files.status(layout.auditLog).map { $0.mode & 0o777 } == 0o600)
        #expect(Files.status(layout.auditFolder).map { $0.mode & 0o777 } == 0o700)
    }

    @Test func aLineThatIsNoneSpoilsNoOther() async throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        #expect(try devhost.auditLog.entries().isEmpty)
        try await devhost.destroy(VMName("nobody"))
        try Files.append(test.configuration.layout.auditLog, Array("half a li\n".utf8), mode: 0o600)
        try await devhost.destroy(VMName("nobody"))
        #expect(try devhost.auditLog.entries().count == 4)
    }

    @Test func whatCannotBePutOnRecordIsNotDone() async throws {
        let test = try TestDevhost()
        let devhost = test.devhost()
        try await devhost.ensure(try test.request("demo"))
        let log = test.configuration.layout.auditLog
        try Files.remove(log)
        try FileManager.default.createSymbolicLink(atPath: log, withDestinationPath: "/dev/null")
        await expectError(.failed, containing: "audit.log") { try await devhost.destroy(VMName("demo")) }
        #expect(try await devhost.describe(VMName("demo")).state == .running)
    }

    @Test func theAddressComesFromTheSSHServerAboveAndFromNoVariable() throws {
        let folder = try TemporaryDirectory(prefix: "devhost-proc")
        func process(_ number: Int, _ name: String, parent: Int, terminal: Int = 0, user: Int = 0) throws {
            try Files.createDirectory("\(folder.path)/\(number)/fd", mode: 0o755)
            try Files.createDirectory("\(folder.path)/\(number)/net", mode: 0o755)
            try Files.write(
                "\(folder.path)/\(number)/stat", Array("\(number) (\(name)) S \(parent) 1 1 \(terminal) 1".utf8),
                mode: 0o644)
            try Files.write(
                "\(folder.path)/\(number)/status", Array("Name:\tx\nUid:\t\(user)\t\(user)\t0\t0\n".utf8), mode: 0o644)
        }
        // A name may hold blanks and parentheses.
        try process(9, "fc-devhost", parent: 8, terminal: 136 << 8 | 3)
        try process(8, "sudo) S 1 (x", parent: 7)
        try process(7, "sshd", parent: 1)
        try process(1, "init", parent: 0)
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/7/fd/4", withDestinationPath: "socket:[1234]")
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1233 1
               1: 0100007F:0016 057100CB:C350 01 00000000:00000000 00:00000000 00000000     0        0 1234 1
            """
        try Files.write("\(folder.path)/7/net/tcp", Array(table.utf8), mode: 0o644)
        let origin = CallerOrigin.current(proc: folder.path, process: 9)
        #expect(origin.parents == ["sudo) S 1 (x", "sshd", "init"])
        #expect(origin.terminal == "pts/3")
        #expect(origin.address == "203.0.113.5")
        try process(7, "sshd", parent: 1, user: 1000)
        #expect(CallerOrigin.current(proc: folder.path, process: 9).address == nil, "a user's own process says nothing")
        #expect(CallerOrigin.address("0000000000000000FFFF0000057100CB:C350") == "203.0.113.5")
        #expect(CallerOrigin.address("B80D0120000000000000000001000000:0016") == "2001:db8::1")
        #expect(CallerOrigin.address("zz:1") == nil)
        #expect(!CallerOrigin.current().parents.isEmpty)
    }
}
