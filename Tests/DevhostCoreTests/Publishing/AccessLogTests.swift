import FoundationEssentials
import Glibc
import Testing

@testable import DevhostBase
@testable import DevhostCore

@Suite struct AccessLogTests {
    private static func line(_ host: String, _ moment: String, _ status: Int) -> String {
        #"{"level":"info","ts":\#(moment),"request":{"host":"\#(host)"},"status":\#(status)}"# + "\n"
    }

    @Test func theLastRequestOfEachHostCountsAcrossFilesThatAreFull() throws {
        let folder = try TestFolder("access")
        let layout = Layout(state: folder.path)
        try Files.createDirectory(layout.proxyLogs, mode: 0o755)
        let full = Self.line("app.demo.localhost", "100.5", 200) + Self.line("old.localhost", "50", 101)
        try Files.write(
            "\(layout.proxyLogs)/access-2026-11-24T10-00-00.000.log", Array(full.utf8), mode: 0o600)
        let current =
            Self.line("app.demo.localhost:443", "200.9", 404) + Self.line("app.demo.localhost", "300", 502)
            + Self.line("App.Demo.localhost.", "250", 304) + "{\"ts\":1" + "\n\u{0}\n"
        try Files.write(layout.accessLog, Array(current.utf8), mode: 0o600)
        let last = try AccessLog(layout: layout).lastRequests()
        #expect(
            last.mapValues { $0.date.timeIntervalSince1970 } == ["app.demo.localhost": 250, "old.localhost": 50])
    }

    @Test func whatCaddysUserPutsThereLeadsRootNowhere() async throws {
        let folder = try TestFolder("access")
        let layout = Layout(state: folder.path)
        try Files.createDirectory(layout.proxyLogs, mode: 0o755)
        symlink("/etc/passwd", layout.accessLog)
        await expectError(.refused, containing: "not a regular file") { try AccessLog(layout: layout).lastRequests() }
        try Files.remove(layout.accessLog)
        mkfifo(layout.accessLog, 0o600)
        await expectError(.refused, containing: "not a regular file") { try AccessLog(layout: layout).lastRequests() }
        try Files.remove(layout.accessLog)
        #expect(try AccessLog(layout: layout).lastRequests().isEmpty)
        // Any number of files, of which those count that Caddy would keep.
        for number in 10..<100 {
            let line = Self.line("\(number).localhost", "\(number)", 200)
            try Files.write("\(layout.proxyLogs)/access-\(number).log", Array(line.utf8), mode: 0o600)
        }
        #expect(try AccessLog(layout: layout).lastRequests().count == AccessLog.rollKeep + 2)
    }

    @Test func hostileLinesAreNoRequests() {
        for line in [
            "", "{}", Self.line("a", "nan", 200), Self.line("a", "1e300", 200), #"{"ts":1,"host":7,"status":200}"#,
        ] {
            #expect(AccessLog.request(line.utf8) == nil, "\(line)")
        }
        // Caddy escapes what would end the host.
        #expect(AccessLog.request(Self.line(#"a\"b"#, "1", 200).utf8)?.host == #"a\"#)
    }

    @Test func theKernelsTableOfConnectionsIsRead() {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 01000C0A:9C40 02000C0A:0016 01 00000000:00000000 00:00000000 00000000  1000        0 111 1
               1: 01000C0A:9C41 02000C0A:0016 06 00000000:00000000 00:00000000 00000000     0        0 0 3
               2: 00000000000000000000000000000000:1F90 0000000000000000FFFF00000200000A:0016 01 00000000:00000000 00:00000000 00000000     0        0 5 1
               3: 767564FD00000000:1 garbage 01
            """
        let found = TCPTable.parse(text)
        #expect(found.count == 2)
        #expect(
            found.first
                == TCPTable.Connection(remoteAddress: "10.12.0.2", remotePort: 22, localPort: 40000, user: 1000))
        #expect(found.last?.remoteAddress == "10.0.0.2" && found.last?.user == 0)
    }
}
