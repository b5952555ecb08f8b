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

        /// Everybody who reaches port 443 chooses the name of the handshake.
        @Test func handshakesForNamesThatNobodyHasLeaveNothingOnTheDisk() async throws {
            try await ProxyHost.run("landing-page = yes") { host in
                try await host.serve()
                try await host.ensure("demo", aliases: "app new")
                #expect(try await host.status("https://app.demo.localhost/") == 200)
                let files = "cd \(host.test.configuration.layout.proxyStorage); find . ! -name '*.json.tmp' | sort"
                let before = try await host.shell(files).text
                let long = String(repeating: "a", count: 63)
                // Nobody has asked for new.demo.localhost yet: a name that leads to it would make its certificate.
                for name in [
                    "x1/../new.demo.localhost", "x2/../../names/new.demo.localhost", "/new.demo.localhost",
                    "./new.demo.localhost", "new.demo.localhost/", "new.demo.localhost/.", "//new.demo.localhost",
                    "new.demo.localhost/x/..", "x/../demo.localhost", "x/../localhost", "..", ".", "/", "*",
                    "*.demo.localhost", "?ew.demo.localhost", "ne*.demo.localhost", "[n]ew.demo.localhost",
                    "new.demo.localhost*", "new.demo.localhost?", "new.demo.localhost:443", "new.demo.localhost,x",
                    "new.demo.localhost%00", "%6eew.demo.localhost", "new%2edemo.localhost",
                    "x%2f..%2fnew.demo.localhost",
                    "new.demo.localhost&x", "new.demo.localhost#", "new.demo.localhost~", "new_demo.localhost",
                    "x\\..\\new.demo.localhost", "\\new.demo.localhost", "new.demo.localhost\u{00e9}",
                    "\u{ff4e}ew.demo.localhost",
                    "new\u{3002}demo.localhost", "\u{212a}.localhost", "new\u{301}.demo.localhost", "{env.HOME}",
                    "{x}new.demo.localhost",
                    "{http.request.uri.path}/../new.demo.localhost", "..new.demo.localhost", "new..demo.localhost",
                    ".new.demo.localhost", "-.demo.localhost", "x.new.demo.localhost", "other.localhost", "demo",
                    "127.0.0.1", "[::1]", "::1", " new.demo.localhost x", "new.demo.localhost\nx", "a\tb",
                    "\(long)a.localhost",
                    "\(long).\(long).\(long).localhost", String(repeating: "a.", count: 120) + "localhost",
                ] {
                    let result = try await Processes.run(
                        Command("openssl", ["s_client", "-connect", "127.0.0.1:443", "-servername", name]),
                        limit: .seconds(20))
                    #expect(result.text.contains("no peer certificate available"), "\(name): \(result.text)")
                }
                #expect(try await host.shell(files).text == before)
                // In capitals it is the same name to the handshake, and the certificate is there already.
                let capitals = try await host.shell(
                    "openssl s_client -connect 127.0.0.1:443 -servername APP.demo.LocalHost </dev/null 2>&1")
                #expect(!capitals.text.contains("no peer certificate available"))
                #expect(try await host.shell(files).text == before)
            }
        }

        /// What Caddy asks itself, asked by somebody on the devhost.
        @Test func theQuestionForACertificateIsAnsweredForWholeNamesAlone() async throws {
            try await ProxyHost.run { host in
                try await host.ensure("demo", aliases: "app")
                let ask = "http://127.0.0.1/.devhost/ask"
                #expect(try await host.status("'\(ask)?domain=app.demo.localhost'") == 200)
                for query in [
                    "domain=x/../app.demo.localhost", "domain=x%2F..%2Fapp.demo.localhost", "domain=APP.demo.localhost",
                    "domain=app.demo.localhost.", "domain=app.demo.localhost%00", "domain=app.demo.localhost%0A",
                    "domain=*.demo.localhost", "domain=app.demo.localhost&domain=app.demo.localhost", "domain=",
                    "domain=./app.demo.localhost", "domain=%5Capp.demo.localhost", "domain=%7Bx%7Dapp.demo.localhost",
                    "domain=%7Bhttp.request.uri.query.y%7D&y=app.demo.localhost", "domain=app.demo.localhost:443",
                    "Domain=app.demo.localhost", "domain=\(String(repeating: "a", count: 9000))",
                ] {
                    #expect(try await host.status("-g '\(ask)?\(query)'") == 404, "\(query.prefix(80))")
                }
            }
        }

        @Test func aHostInCapitalsOrWithADotAtItsEndFindsItsVM() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                try await host.serve(port: 8080, isPlain: true)
                let long = String(repeating: "l", count: 63)
                try await host.ensure("demo", aliases: "app gone \(long)", ports: ["app=http:8080", "gone=http:81"])
                for version in ["--http1.1", "--http2"] {
                    for (name, published) in [
                        ("APP.Demo.LOCALHOST", "app.demo.localhost"), ("app.demo.localhost.", "app.demo.localhost"),
                        ("DEMO.localhost.:443", "demo.localhost:443"), ("demo.localhost:", "demo.localhost:"),
                        ("AbCdEfGhIjKlMnOpQrStUvWxYz.localhost", nil), ("demo.localhost..", nil),
                    ] {
                        let words = "\(version) -H 'Host: \(name)' https://app.demo.localhost/"
                        guard let published else {
                            #expect(try await host.status(words) == 404, "\(name)")
                            continue
                        }
                        let echo = try await host.echo(words)
                        #expect(echo.headers["host"] == published && echo.headers["x-forwarded-host"] == published)
                    }
                }
                let plain =
                    "-w '%{redirect_url}' -o /dev/null -H 'Host: APP.demo.localhost.' http://app.demo.localhost/X"
                #expect(try await host.curl(plain).text == "https://app.demo.localhost/X")
                let page = try await host.curl("-H 'Host: Gone.DEMO.localhost.' https://gone.demo.localhost/").text
                #expect(page.contains("<title>demo does not answer</title>"), "\(page)")
                #expect(try await host.status("https://\(long).demo.localhost/") == 200)
                // Whatever the header says of another host, the request's own counts.
                for forged in ["X-Forwarded-Host: demo.localhost", "Forwarded: host=demo.localhost"] {
                    #expect(
                        try await host.status(
                            "-H 'Host: nobody.localhost' -H '\(forged)' https://app.demo.localhost/") == 404)
                }
                let absolute = "--request-target https://x/../demo.localhost/ https://app.demo.localhost/"
                #expect((400..<500).contains(try await host.status("--http1.1 \(absolute)")))
                for _ in 0..<100 where host.requests["app.demo.localhost"] == nil {
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(host.requests["app.demo.localhost"] != nil && host.requests["app.demo.localhost."] == nil)
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
