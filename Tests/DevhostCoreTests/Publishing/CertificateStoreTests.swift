import FoundationEssentials
import Glibc
import Testing

@testable import DevhostBase
@testable import DevhostCore

/// What root reads and removes in Caddy's folders, in which Caddy's user may put anything.
@Suite struct CertificateStoreTests {
    private let test: TestDevhost
    private let folder: String

    init() throws {
        test = try TestDevhost()
        folder = "\(test.configuration.layout.proxyStorage)/certificates/local"
        try Files.createDirectory(folder, mode: 0o700)
        try Files.createDirectory(test.configuration.layout.proxyLogs, mode: 0o700)
    }

    private func certificate(_ folder: String, for name: String) async throws {
        let path = "\(self.folder)/\(folder)"
        try Files.createDirectory(path, mode: 0o700)
        let result = try await Processes.run(
            Command(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=Devhost", "-addext", "subjectAltName=DNS:\(name)", "-keyout", "\(path)/\(folder).key",
                    "-out", "\(path)/\(folder).crt",
                ]))
        #expect(result.status == 0, "\(result.errorText)")
    }

    @Test func certificatesForNamesThatAreNoneAreFoundAndRemoved() async throws {
        let devhost = test.devhost()
        try await devhost.ensure(try test.request("demo"))
        for name in ["demo.localhost", "gone.localhost"] { try await certificate(name, for: name) }
        for number in 1...3 { try await certificate("x\(number)demo.localhost", for: "x\(number)/../demo.localhost") }
        try Files.createDirectory("\(test.folder.path)/own", mode: 0o755)
        try Files.write("\(test.folder.path)/own/x4.crt", [], mode: 0o600)
        symlink("\(test.folder.path)/own", "\(folder)/x4")
        let found = try await devhost.diagnose(mending: true).findings.filter { $0.severity > .note }
        #expect(found.map(\.problem) == ["3 of Caddy's own are for names that nobody can publish"])
        #expect(found.map(\.mending) == [.done])
        #expect(try Files.names(in: folder) == ["demo.localhost", "gone.localhost", "x4"])
        #expect(try Files.names(in: "\(test.folder.path)/own") == ["x4.crt"])
        #expect(try devhost.certificates().certificates.first { $0.name == "demo.localhost" }?.issuer == "Devhost")
        #expect(try await devhost.diagnose().findings.allSatisfy { $0.severity == .note })
    }

    @Test func whatCaddysUserPutsThereHoldsNobodyUp() async throws {
        let devhost = test.devhost()
        try await devhost.ensure(try test.request("demo"))
        let layout = test.configuration.layout
        let name = "\(folder)/demo.localhost"
        try Files.createDirectory(name, mode: 0o700)
        for (path, make) in [
            ("\(layout.proxyLogs)/caddy.log", "pipe"), ("\(name)/demo.localhost.crt", "pipe"),
            ("\(layout.proxyLogs)/caddy.log", "link"), ("\(name)/demo.localhost.crt", "link"),
            ("\(layout.proxyStorage)/certificates/acme-x", "pipe"),
            ("\(layout.proxyStorage)/certificates/acme", "link"),
        ] {
            try Files.remove(path)
            if make == "pipe" { mkfifo(path, 0o600) } else { symlink("/dev/zero", path) }
            let report = try devhost.certificates()
            #expect(report.certificates.count == 2 && report.certificates.allSatisfy { $0.issuer == nil }, "\(path)")
            #expect(report.certificates.allSatisfy { $0.problem == nil }, "\(path)")
            #expect(try await devhost.diagnose().findings.allSatisfy { $0.severity == .note }, "\(path) \(make)")
        }
        // A log whose words would steer a terminal, and a date that is none.
        try Files.remove("\(layout.proxyLogs)/caddy.log")
        let escape = #"\u001b]0;x\u0007"#
        let lines = [1.5, 1e300].map { moment in
            #"{"level":"error","ts":\#(moment),"logger":"tls.obtain","identifier":"demo.localhost","error":"\#(escape)"}"#
        }
        try Files.write("\(layout.proxyLogs)/caddy.log", Array(lines.joined(separator: "\n").utf8), mode: 0o600)
        let problem = try #require(try devhost.certificates().certificates.first?.problem)
        #expect(problem.hasPrefix("1970-01-01") && !problem.contains("\u{1b}"), "\(problem)")
    }
}
