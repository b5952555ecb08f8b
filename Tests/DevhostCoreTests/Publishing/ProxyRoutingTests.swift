import DevhostBase
import FoundationEssentials
import Testing

@testable import DevhostCore

extension ProxyTests {
    /// What reaches a VM, and how.
    @Suite(.serialized) struct RoutingTests {
        @Test func anAliasShowsWhatTheVMServes() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                try await host.ensure("demo", aliases: "app api")
                for name in ["demo.localhost", "app.demo.localhost", "api.demo.localhost", "app.demo.localhost"] {
                    let echo = try await host.echo("https://\(name)/path?q=1")
                    #expect(echo.sni == name && echo.headers["host"] == name && echo.path == "/path?q=1")
                    #expect(echo.headers["x-forwarded-proto"] == "https")
                    #expect(echo.headers["x-forwarded-host"] == name)
                    #expect(echo.headers["x-forwarded-for"] == "127.0.0.1")
                }
                let forged = try await host.echo(
                    "-H 'X-Forwarded-For: 192.0.2.1' -H 'X-Forwarded-Host: bank.example' https://demo.localhost/")
                #expect(forged.headers["x-forwarded-for"] == "127.0.0.1")
                #expect(forged.headers["x-forwarded-host"] == "demo.localhost")
                #expect(try await host.curl("-o /dev/null -w '%{http_version}' https://demo.localhost/").text == "2")
                let six = try await host.echo("--resolve demo.localhost:443:[::1] https://demo.localhost/")
                #expect(six.headers["x-forwarded-for"] == "::1")
            }
        }

        @Test func plainHTTPIsRedirected() async throws {
            try await ProxyHost.run { host in
                try await host.ensure("demo", aliases: "app")
                let answer = try await host.curl(
                    "-o /dev/null -w '%{http_code} %{redirect_url}' 'http://app.demo.localhost/a/b?c=d'"
                ).text
                #expect(answer == "308 https://app.demo.localhost/a/b?c=d")
                #expect(try await host.status("http://app.other.localhost/") == 404)
                #expect(try await host.status("'http://127.0.0.1/.devhost/ask?domain=app.demo.localhost'") == 200)
                #expect(try await host.status("'http://127.0.0.1/.devhost/ask?domain=*'") == 404)
                #expect(
                    try await host.status(
                        "-H 'Host: 127.0.0.1' 'http://192.0.2.2/.devhost/ask?domain=app.demo.localhost'") == 404,
                    "the question is answered on the loopback alone")
            }
        }

        @Test func aliasesLeadToOtherPorts() async throws {
            try await ProxyHost.run { host in
                try await host.serve(port: 8443)
                try await host.serve(port: 8080, isPlain: true)
                try await host.ensure("demo", aliases: "app api web", ports: ["app=8443", "api=http:8080"])
                #expect(try await host.echo("https://app.demo.localhost/").sni == "app.demo.localhost")
                let plain = try await host.echo("https://api.demo.localhost/")
                #expect(plain.sni == nil && plain.headers["x-forwarded-proto"] == "https")
                #expect(try await host.status("https://web.demo.localhost/") == 502)
            }
        }

        @Test func eachNameReachesItsOwnVM() async throws {
            try await ProxyHost.run { host in
                try await host.serve("10.12.0.2")
                try await host.serve("10.12.0.3")
                try await host.ensure("one", aliases: "two")
                try await host.ensure("two", aliases: "one")
                #expect(try await host.echo("https://two.one.localhost/").vm == "10.12.0.2")
                #expect(try await host.echo("https://one.two.localhost/").vm == "10.12.0.3")
                try await host.devhost.destroy(VMName("one"))
                let gone = try await host.curl("https://one.localhost/")
                #expect(gone.status == 35, "a handshake that is refused: \(gone.errorText)")
                let inner = try await host.curl(
                    "-w '%{http_code}' -H 'Host: two.one.localhost' https://two.localhost/")
                #expect(inner.text == "There is nothing here.\n404")
                #expect(try await host.echo("https://two.localhost/").vm == "10.12.0.3")
            }
        }

        @Test func aVMThatIsOffIsAFriendlyPageWithItsName() async throws {
            try await ProxyHost.run { host in
                try await host.ensure("demo", aliases: "app")
                let page = try await host.curl("-w '%{http_code}' https://app.demo.localhost/").text
                #expect(page.hasSuffix("502"))
                #expect(page.contains("<title>demo does not answer</title>"))
                #expect(page.contains("fc-devhost start demo") && page.contains("font:1.1em"))
                try await host.serve()
                #expect(try await host.status("https://app.demo.localhost/") == 200)
            }
        }

        @Test func streamsPassPartByPart() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                try await host.ensure("demo")
                let url = "https://demo.localhost"
                // The second part is sent when the client, which has the first, asks for it.
                for path in ["events", "stream"] {
                    let text = try await host.shell(
                        """
                        curl -sSN --max-time 20 --cacert \(host.root) \(url)/\(path) | while read -r line; do
                            echo "$line"
                            case $line in *first*) curl -sS --cacert \(host.root) -d x -o /dev/null \(url)/go;; esac
                        done
                        """
                    ).text
                    #expect(text.contains("first\n") && text.contains("second\n"), "\(path): \(text)")
                }
                let upload = try await host.shell(
                    """
                    { echo first; until [ "$(curl -sS --cacert \(host.root) \(url)/received)" = 6 ]; do :; done; echo rest; } |
                        curl -sS --max-time 20 --cacert \(host.root) -H 'Transfer-Encoding: chunked' --http1.1 -T - \
                            -X POST \(url)/upload
                    """
                ).text
                #expect(upload.contains("\"bytes\": 11"), "\(upload)")
            }
        }

        @Test func aLongPollWaitsAndALargeUploadArrivesWhole() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                try await host.ensure("demo")
                let poll = try await host.shell(
                    """
                    curl -sS --max-time 30 --cacert \(host.root) https://demo.localhost/poll & poll=$!
                    curl -sS --cacert \(host.root) -o /dev/null -d x https://demo.localhost/go; wait $poll
                    """)
                #expect(poll.text == "polled")
                let path = "\(host.test.folder.path)/upload"
                let sum = try await host.shell("head -c 150M /dev/urandom >\(path); sha256sum <\(path)").text.prefix(64)
                for version in ["--http1.1", "--http2"] {
                    let answer = try await host.curl("\(version) -T \(path) -X POST https://demo.localhost/upload").text
                    #expect(answer.contains("\"bytes\": \(150 << 20)") && answer.contains(sum), "\(answer)")
                }
            }
        }

        @Test func webSocketsSurviveThatOthersComeAndGo() async throws {
            try await ProxyHost.run { host in
                try await host.serve()
                try await host.ensure("demo", aliases: "app")
                let socket = try host.webSocket("app.demo.localhost")
                #expect(socket.ask("before") == "before")
                try await host.ensure("other", aliases: "x y z")
                #expect(socket.ask("published") == "published")
                try await host.devhost.destroy(VMName("other"))
                #expect(socket.ask("withdrawn") == "withdrawn")
                try await host.ensure("demo", aliases: "app more")
                #expect(socket.ask("changed") == "changed")
                _ = try await host.devhost.publish()
                #expect(socket.ask("published again") == "published again")
            }
        }
    }
}
