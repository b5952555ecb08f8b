import DevhostBase
import FoundationEssentials
import Testing

@testable import DevhostCore

extension ProxyTests {
    /// Caddy itself: how it runs, and what happens where it does not.
    @Suite(.serialized) struct ServiceTests {
        private func pid(_ host: ProxyHost) async throws -> String {
            try await host.shell("pgrep -u caddy -x caddy").text.trimmed
        }

        @Test func caddyRunsAsItsOwnUserAndOnlyRootReachesItsAdminEndpoint() async throws {
            try await ProxyHost.run { host in
                let trusted =
                    "cat /etc/ca-certificates.conf /etc/ssl/certs/ca-certificates.crt | sha256sum; ls /usr/local/share/ca-certificates"
                let before = try await host.shell(trusted).text
                try await host.serve()
                try await host.ensure("demo")
                #expect(try await host.status("https://demo.localhost/") == 200)
                let process = try await pid(host)
                let status = try await host.shell("cat /proc/\(process)/status").text
                let caddy = try #require(User(named: "caddy"))
                #expect(status.contains("Uid:\t\(caddy.id)\t\(caddy.id)\t\(caddy.id)\t\(caddy.id)\n"))
                #expect(
                    status.contains("CapEff:\t0000000000000400\n") && status.contains("CapBnd:\t0000000000000400\n"))
                #expect(status.contains("NoNewPrivs:\t1\n"))
                let socket = host.test.configuration.layout.proxySocket
                let stranger = try await host.shell(
                    "setpriv --reuid=nobody --regid=nogroup --clear-groups curl -sS --unix-socket \(socket) http://devhost/config/"
                )
                #expect(stranger.status != 0)
                let tcp = try await host.shell("ss -Hltnp | grep -F 'pid=\(process),' | awk '{print $4}' | sort")
                #expect(tcp.text == "*:443\n*:80\n")
                #expect(try await host.shell(trusted).text == before)
            }
        }

        @Test func whoCallsChoosesNothingOfHowCaddyRuns() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                try await host.ensure("demo")
                _ = try await host.shell("kill -KILL \(try await pid(host)); while pgrep -u caddy -x caddy; do :; done")
                let layout = host.test.configuration.layout
                let folder = host.test.folder.path
                let text = """
                    [devhost]
                    libvirt-uri = \(host.test.configuration.libvirtURI)
                    state = \(layout.state)
                    records = \(layout.records)
                    hosts-file = \(layout.hostsFile)
                    [network]
                    capacity = 64

                    """
                try Files.write("\(folder)/devhost.cfg", Array(text.utf8), mode: 0o600)
                let program =
                    Files.directory(
                        of: CommandLine.arguments.last { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0])
                    + "/fc-devhost"
                let started = try await host.shell(
                    """
                    program=$(realpath \(program)); cd \(folder); trap '' HUP USR1; exec 7<devhost.cfg
                    umask 0; ulimit -S -n 64; ulimit -S -f 2000; ulimit -S -u 3000; export EVIL=1
                    nice -n 15 chrt --idle 0 taskset -c 0 "$program" --config devhost.cfg publish
                    """)
                try #require(started.status == 0, "\(started.errorText)")
                let process = try await pid(host)
                let status = try await host.shell("cat /proc/\(process)/status").text
                #expect(status.contains("Umask:\t0077\n"), "\(status)")
                let signals = try #require(status.split(separator: "\n").first { $0.hasPrefix("SigIgn:") })
                #expect(UInt64(signals.suffix(16), radix: 16).map { $0 & 0x201 } == 0, "\(signals)")
                let limits = try await host.shell("sed 's/  */ /g' /proc/\(process)/limits").text
                #expect(limits.contains("Max file size unlimited"), "\(limits)")
                // Not every machine lets root raise the hard limits.
                for limit in ["Max processes ", "Max open files "] {
                    let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix(limit) })
                    let values = line.dropFirst(limit.count).split(separator: " ")
                    #expect(values.count >= 2 && values[0] == values[1] && values[0] != "64", "\(line)")
                }
                #expect(
                    try await host.shell("ps -o ni=,cls= -p \(process)").text.split(whereSeparator: \.isWhitespace)
                        == ["0", "TS"])
                let processors = try await host.shell("nproc --all; taskset -p \(process) | sed 's/.* //'").text
                    .split(separator: "\n")
                #expect(
                    processors.count == 2
                        && UInt64(processors[1], radix: 16).map { "\($0.nonzeroBitCount)" } == "\(processors[0])")
                let open = try await host.shell("ls -l /proc/\(process)/fd; tr '\\0' '\\n' </proc/\(process)/environ")
                    .text
                #expect(!open.contains("devhost.cfg") && !open.contains("EVIL"), "\(open)")
                #expect(try await host.shell("readlink /proc/\(process)/cwd").text == "/\n")
                let loose = try await host.shell("find \(layout.proxyStorage) \(layout.proxyLogs) -perm /077")
                #expect(loose.text == "")
                #expect(try await host.status("https://demo.localhost/") == 200)
            }
        }

        @Test func aCaddyThatDiedComesBackWithEverythingAtTheNextVerb() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                try await host.ensure("demo", aliases: "app")
                let first = try await pid(host)
                _ = try await host.shell("kill -KILL \(first); while kill -0 \(first) 2>/dev/null; do :; done")
                try await host.ensure("demo")
                #expect(try await pid(host) != first)
                #expect(try await host.status("https://demo.localhost/") == 200)
            }
        }

        @Test func whatFailsCostsAWarningAndPublishRepairsIt() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                let squatter = try LineProgram(
                    "/usr/bin/python3",
                    [
                        "-c",
                        "import socket, sys\ns = socket.create_server(('', 443))\nprint('there', flush=True)\nsys.stdin.read()",
                    ])
                #expect(squatter.line() == "there")
                let events = EventLog()
                let made = try await host.devhost.ensure(try host.test.request("demo"), progress: events.handler)
                #expect(made.state == .running)
                let warning = events.all.compactMap { if case .warning(let text) = $0 { text } else { nil } }
                #expect(warning.count == 1 && warning[0].contains("address already in use"), "\(warning)")
                await expectError(.unavailable, containing: "address already in use") {
                    try await host.devhost.publish()
                }
                await squatter.end()
                #expect(try await host.devhost.publish().changedProxy)
                #expect(try await host.status("https://demo.localhost/") == 200)
            }
        }

        @Test func aConfigurationThatCaddyRefusesChangesNothing() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                try await host.ensure("demo")
                var configuration = host.test.configuration
                configuration.publish.certificate = .init(
                    certificate: "\(host.test.folder.path)/vm.key", key: "\(host.test.folder.path)/vm.key")
                let wrong = Devhost(
                    configuration: configuration, caller: host.devhost.caller, clock: RealClock(),
                    probe: AnsweringProbe(), libvirt: host.devhost.libvirt)
                let socket = try host.webSocket("demo.localhost")
                await expectError(.invalidConfiguration, containing: "Caddy refuses") { try await wrong.publish() }
                #expect(socket.ask("still here") == "still here")
                let events = EventLog()
                try await wrong.ensure(EnsureRequest(name: VMName("demo")), progress: events.handler)
                #expect(events.texts.contains { $0.contains("not served") && $0.contains("Caddy refuses") })
                #expect(try await !host.devhost.publish().changedProxy, "the configuration on disk is the right one")
            }
        }

        @Test func aThousandAliasesAreThereAfterARestart() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                for number in 0..<10 {
                    let aliases = (0..<100).map { "a\($0)" }.joined(separator: " ")
                    try await host.ensure("vm\(number)", aliases: aliases)
                }
                let first = try await pid(host)
                _ = try await host.shell("kill \(first); while kill -0 \(first) 2>/dev/null; do :; done")
                #expect(try await host.devhost.publish().names.count == 1010)
                #expect(try await host.status("https://a0.vm0.localhost/") == 200)
                #expect(try await host.status("https://a99.vm0.localhost/") == 200)
            }
        }

        @Test func anOwnCertificateIsServedWhereItFits() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                let folder = host.test.folder.path
                _ = try await host.shell(
                    """
                    cd \(folder); umask 077
                    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/CN=own' \
                        -addext 'subjectAltName=DNS:*.demo.localhost' -keyout own.key -out own.pem
                    """)
                var configuration = host.test.configuration
                configuration.publish.certificate = .init(certificate: "\(folder)/own.pem", key: "\(folder)/own.key")
                let own = Devhost(
                    configuration: configuration, caller: host.devhost.caller, clock: RealClock(),
                    probe: AnsweringProbe(), libvirt: host.devhost.libvirt)
                var request = try host.test.request("demo")
                request.aliases = [try Alias("app")]
                try await own.ensure(request)
                let verified =
                    "curl -sS -o /dev/null -w '%{http_code}' --cacert \(folder)/own.pem https://app.demo.localhost/"
                #expect(try await host.shell(verified).text == "200")
                #expect(
                    try await host.status("https://demo.localhost/") == 200, "Caddy's own for what it does not cover")
            }
        }
    }
}
