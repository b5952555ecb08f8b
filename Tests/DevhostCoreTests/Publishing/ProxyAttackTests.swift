import DevhostBase
import FoundationEssentials
import Testing

@testable import DevhostCore

extension ProxyTests {
    /// What clients and VMs do to a proxy that others share.
    @Suite(.serialized) struct AttackTests {
        @Test func hostsThatNobodyHasReachNoVM() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                try await host.ensure("demo", aliases: "app")
                for name in [
                    "*", "*.demo.localhost", "[a]pp.demo.localhost", "?pp.demo.localhost", "..", ".", "../names",
                    "demo", "10.12.0.2", "127.0.0.1", "localhost", "app.demo.localhost.evil.example",
                    "app.demo.localhost/..", "..%2fapp.demo.localhost", "{http.vars.x}", "{env.HOME}",
                    "app.demo.localhost,x", "app.demo.localhost\\\\", "caddy.json", "_publish",
                    String(repeating: "a", count: 10_000), String(repeating: "a.", count: 120) + "localhost",
                ] {
                    let status = try await host.status("--http1.1 -H 'Host: \(name)' https://app.demo.localhost/")
                    #expect((400..<500).contains(status), "\(name.prefix(80)): \(status)")
                }
                for name in [
                    "other.localhost", "x.app.demo.localhost", "demo", "invalid..name",
                    String(repeating: "a", count: 250),
                ] {
                    let result = try await host.shell(
                        "openssl s_client -connect 127.0.0.1:443 -servername '\(name)' </dev/null 2>&1")
                    #expect(result.text.contains("no peer certificate available"), "\(name): \(result.text)")
                }
                let silent = try await host.shell(
                    "openssl s_client -connect 127.0.0.1:443 -noservername </dev/null 2>&1")
                #expect(silent.text.contains("no peer certificate available"))
                #expect(try await host.status("https://app.demo.localhost/") == 200)
            }
        }

        @Test func smugglingGetsNothingThrough() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                try await host.ensure("demo", aliases: "app", isPrivate: false)
                try await host.ensure("hidden", isPrivate: true)
                for (what, head) in [
                    (
                        "two lengths",
                        "POST / HTTP/1.1\\r\\nHost: H\\r\\nContent-Length: 6\\r\\nContent-Length: 5\\r\\n\\r\\n"
                    ),
                    ("two hosts", "GET / HTTP/1.1\\r\\nHost: H\\r\\nHost: hidden.localhost\\r\\n\\r\\n"),
                    ("no host", "GET / HTTP/1.1\\r\\n\\r\\n"),
                    ("an odd coding", "POST / HTTP/1.1\\r\\nHost: H\\r\\nTransfer-Encoding: xchunked\\r\\n\\r\\n"),
                    ("a blank in a name", "GET / HTTP/1.1\\r\\nHost: H\\r\\nA B: x\\r\\n\\r\\n"),
                    ("a blank before a colon", "POST / HTTP/1.1\\r\\nHost: H\\r\\nContent-Length : 5\\r\\n\\r\\nxxxxx"),
                    ("a negative length", "POST / HTTP/1.1\\r\\nHost: H\\r\\nContent-Length: -1\\r\\n\\r\\n"),
                ] {
                    let text = head.replacing("Host: H", with: "Host: app.demo.localhost")
                    let result = try await host.shell(
                        """
                        printf '\(text)' | timeout 10 openssl s_client -quiet -connect 127.0.0.1:443 \
                            -servername app.demo.localhost 2>/dev/null | head -c 12
                        """)
                    #expect(
                        result.text.hasPrefix("HTTP/1.1 400") || result.text.hasPrefix("HTTP/1.1 501"),
                        "\(what): \(result.text)")
                }
                // A chunked body with a length beside it is one request: the chunked form counts, the rest is refused.
                let both = try await host.shell(
                    """
                    printf 'POST /upload HTTP/1.1\\r\\nHost: app.demo.localhost\\r\\nContent-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n5\\r\\nhello\\r\\n0\\r\\n\\r\\nGET / HTTP/1.1\\r\\nHost: hidden.localhost\\r\\nConnection: close\\r\\n\\r\\n' |
                        timeout 10 openssl s_client -quiet -connect 127.0.0.1:443 -servername app.demo.localhost 2>/dev/null
                    """)
                #expect(!both.text.contains("\"vm\""), "what follows is Caddy's to judge, never a VM's: \(both.text)")
                #expect(try await host.status("https://app.demo.localhost/") == 200)
            }
        }

        @Test func aVMThatMisbehavesHarmsNobodyElse() async throws {
            try await ProxyHost.run { host in
                try await host.serve("10.12.0.2")
                try await host.serve("10.12.0.3")
                try await host.ensure("bad")
                try await host.ensure("good")
                let truncated = try await host.curl("-o /dev/null https://bad.localhost/truncate")
                #expect(truncated.status != 0, "what is cut short must not look whole")
                #expect(try await host.status("https://bad.localhost/headers") == 502)
                // Fifty requests that the VM never answers hold nobody up.
                let slow = try await host.shell(
                    """
                    for i in $(seq 50); do
                        curl -sS --max-time 5 --cacert \(host.root) -o /dev/null https://bad.localhost/poll 2>/dev/null &
                    done
                    curl -sS --max-time 4 --cacert \(host.root) -o /dev/null -w '%{http_code}' https://good.localhost/
                    kill $(jobs -p); wait
                    """)
                #expect(slow.text == "200")
            }
        }
    }
}
