import DevhostBase
import FoundationEssentials
import Testing

@testable import DevhostCore

extension ProxyTests {
    /// Certificates from an authority that speaks ACME: Debian's pebble, whose root nobody trusts but the test.
    @Suite(.serialized) struct CertificateTests {
        /// Starts pebble and a DNS server for it in which every name is this machine.
        /// - Parameter validity: For how many seconds a certificate is good.
        private func startAuthority(_ host: ProxyHost, validity: Int = 86400) async throws {
            let folder = host.test.folder.path
            let setUp = try await host.shell(
                """
                set -e; cd \(folder)
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/CN=directory' \
                    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout directory.key -out directory.pem
                cat >pebble.json <<TEXT
                {"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
                 "certificate": "\(folder)/directory.pem", "privateKey": "\(folder)/directory.key",
                 "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "certificateValidityPeriod": \(validity)}}
                TEXT
                """)
            try #require(setUp.status == 0, "\(setUp.errorText)")
            try host.start(
                "/usr/bin/pebble-challtestsrv",
                [
                    "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", "",
                    "-dns01", "127.0.0.1:8053", "-management", "127.0.0.1:8055",
                ])
            try host.start(
                "/usr/bin/env",
                [
                    "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", "pebble", "-config", "\(folder)/pebble.json",
                    "-dnsserver", "127.0.0.1:8053",
                ])
            let wait = try await host.shell(
                """
                for i in $(seq 300); do
                    curl -sf --cacert \(folder)/directory.pem https://127.0.0.1:15000/roots/0 >\(folder)/root.pem && exit
                    sleep 0.1
                done
                exit 1
                """)
            try #require(wait.status == 0, "pebble does not answer")
        }

        private func settings(_ extra: String = "") -> String {
            """
            public-address = dev.example.test
            acme-email = admin@example.test
            acme-directory = https://127.0.0.1:14000/dir
            \(extra)
            """
        }

        /// The same devhost with the root of the directory, which exists only when the test runs.
        private func devhost(_ host: ProxyHost, _ change: (inout Configuration.Publish) -> Void = { _ in }) -> Devhost {
            var configuration = host.test.configuration
            configuration.publish.acmeRoot = "\(host.test.folder.path)/directory.pem"
            change(&configuration.publish)
            return Devhost(
                configuration: configuration, caller: host.devhost.caller, clock: RealClock(), probe: AnsweringProbe(),
                libvirt: host.devhost.libvirt)
        }

        private func request(_ host: ProxyHost, _ name: String, _ aliases: String) throws -> EnsureRequest {
            var request = try host.test.request(name)
            request.aliases = try Alias.parseList(aliases)
            return request
        }

        @Test func certificatesComeFromTheAuthorityForPublishedNamesAlone() async throws {
            try await ProxyHost.run(settings()) { host in
                try await host.serve()
                try await startAuthority(host)
                let devhost = devhost(host)
                try await devhost.ensure(try request(host, "demo", "app"))
                let curl =
                    "curl -sS --max-time 60 --cacert \(host.test.folder.path)/root.pem --resolve '*:443:127.0.0.1'"
                let answer = try await host.shell("\(curl) https://app.demo.dev.example.test/")
                #expect(answer.status == 0, "\(answer.errorText) \(host.log.suffix(3000))")
                #expect(answer.text.contains("\"sni\": \"app.demo.dev.example.test\""))
                #expect(try await host.shell("\(curl) https://other.demo.dev.example.test/").status == 35)
                #expect(!host.log.contains("\"identifier\":\"other.demo.dev.example.test\""))

                var report = try devhost.certificates()
                #expect(report.certificates.map(\.name) == ["app.demo.dev.example.test", "demo.dev.example.test"])
                #expect(report.certificates[0].issuer?.hasPrefix("Pebble Intermediate CA") == true)
                #expect(try #require(report.certificates[0].expires) > Timestamp(RealClock().now))
                #expect(report.certificates[1].issuer == nil, "nobody has asked for it")
                #expect(report.newThisWeek == 1 && report.weeklyLimit == 50)

                // A certificate outlives its VM, and is there when the VM comes again.
                let serial =
                    "\(curl) -o /dev/null -v https://app.demo.dev.example.test/ 2>&1 | grep -c 'issuer: CN=Pebble'"
                try await devhost.destroy(VMName("demo"))
                // Caddy keeps what it has in memory; nothing is behind it any more.
                let gone = try await host.shell("\(curl) https://app.demo.dev.example.test/").text
                #expect(gone == "There is nothing here.\n")
                try await devhost.ensure(try request(host, "demo", "app"))
                #expect(try await host.shell(serial).text.trimmed == "1")
                report = try devhost.certificates()
                #expect(report.newThisWeek == 1)
            }
        }

        @Test func aCertificateIsRenewedBeforeItEnds() async throws {
            try await ProxyHost.run(settings()) { host in
                try await host.serve()
                try await startAuthority(host, validity: 30)
                let devhost = devhost(host)
                try await devhost.ensure(try request(host, "demo", "app"))
                let name = "app.demo.dev.example.test"
                let renewed = try await host.shell(
                    """
                    serial() {
                        openssl s_client -connect 127.0.0.1:443 -servername \(name) </dev/null 2>/dev/null |
                            openssl x509 -noout -serial -checkend 0
                    }
                    first=$(serial) || { echo "no certificate: $first"; exit 1; }
                    for i in $(seq 300); do
                        next=$(serial) || { echo "it has ended: $next"; exit 1; }
                        [ "$next" = "$first" ] || exit 0
                        sleep 0.2
                    done
                    echo "it stays $first"; exit 1
                    """)
                #expect(renewed.status == 0, "\(renewed.text) \(host.log.suffix(3000))")
                #expect(try devhost.certificates().certificates.first { $0.name == name }?.problem == nil)
            }
        }

        @Test func aNameThatGetsNoCertificateSaysWhyAndEnsureWarnsBeforeTheBudgetIsGone() async throws {
            try await ProxyHost.run(settings("weekly-limit = 10")) { host in
                let events = EventLog()
                try await startAuthority(host)
                // Nobody listens there.
                let devhost = devhost(host) {
                    $0.acmeDirectory = try? ResourceURL("https://127.0.0.1:14999/dir")
                }
                try await devhost.ensure(try request(host, "demo", "a b c d e f"), progress: events.handler)
                #expect(!events.texts.contains { $0.contains("certificates of this week") })
                try await devhost.ensure(try request(host, "demo", "a b c d e f g"), progress: events.handler)
                #expect(
                    events.texts.contains {
                        $0.contains("0 of the 10 certificates of this week") && $0.contains("8 published")
                    })
                // Caddy tries for minutes while the client waits; the reason shows long before.
                let answer = try await host.shell(
                    "curl -sS --max-time 5 -k --resolve '*:443:127.0.0.1' https://a.demo.dev.example.test/")
                #expect(answer.status != 0)
                var found: String?
                for _ in 0..<300 where found == nil {
                    found = try devhost.certificates().certificates.first { $0.name == "a.demo.dev.example.test" }?
                        .problem
                    if found == nil { try await Task.sleep(for: .milliseconds(100)) }
                }
                let problem = try #require(found, "\(host.log.suffix(3000))")
                #expect(problem.contains("connection refused"), "\(problem)")
            }
        }

        @Test func caddysOwnCertificatesAreShownToo() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                try await host.ensure("demo")
                #expect(try await host.status("https://demo.localhost/") == 200)
                let report = try host.devhost.certificates()
                #expect(report.weeklyLimit == nil && report.newThisWeek == 0)
                #expect(report.certificates.first?.issuer?.hasPrefix("Devhost") == true)
                #expect(report.certificates.first?.problem == nil)
            }
        }
    }
}
