import DevhostBase
import FoundationEssentials
import Testing

@testable import DevhostCore

extension ProxyTests {
    /// What people see: Chromium, which trusts Caddy's root and nothing else that others do not.
    @Suite(.serialized, .enabled(if: ProxyHost.hasBrowser, "needs chromium and libnss3-tools")) struct BrowserTests {
        /// Opens a page. Virtual time goes on until nothing happens any more, ten seconds at most.
        private func open(_ url: String, _ host: ProxyHost) async throws -> (document: String, colours: Int) {
            let folder = host.test.folder.path
            let result = try await host.shell(
                """
                export HOME=\(folder)/home
                if ! [ -d $HOME ]; then
                    mkdir -p $HOME/.pki/nssdb
                    certutil -d sql:$HOME/.pki/nssdb -N --empty-password
                    certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n devhost -i \(host.root)
                fi
                timeout 90 chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage \
                    --user-data-dir=$HOME/profile --window-size=400,700 --virtual-time-budget=10000 \
                    --screenshot=\(folder)/page.png --dump-dom \(url) 2>/dev/null
                """)
            try #require(result.status == 0, "chromium ends with \(result.status)")
            // A blank page is lines of one and the same byte.
            let count = try await host.shell(
                """
                python3 - \(folder)/page.png <<'TEXT'
                import struct, sys, zlib
                data, place, pixels = open(sys.argv[1], "rb").read(), 8, b""
                while place < len(data):
                    size, kind = struct.unpack(">I4s", data[place:place + 8])
                    pixels += data[place + 8:place + 8 + size] if kind == b"IDAT" else b""
                    place += size + 12
                print(len(set(zlib.decompress(pixels))))
                TEXT
                """)
            return (result.text, Int(count.text.trimmed) ?? 0)
        }

        @Test func aBrowserSeesThePageOfAVMAndItsWebSocketAnswers() async throws {
            try await ProxyHost.run("landing-page = yes") { host in
                try await host.serve()
                try await host.ensure("demo", aliases: "app")
                var page = try await open("https://app.demo.localhost/page", host)
                // A browser's virtual time does not wait for WebSockets: where the machine is busy it runs out first.
                for _ in 0..<9 where !page.document.contains("<title>echoed hello</title>") {
                    page = try await open("https://app.demo.localhost/page", host)
                }
                #expect(page.document.contains("<title>echoed hello</title>"), "\(page.document)")
                #expect(page.colours > 20)
                let landing = try await open("https://localhost/", host)
                #expect(landing.document.contains("<title>VMs of localhost</title>"))
                #expect(landing.document.contains("href=\"https://app.demo.localhost/\""))
                #expect(landing.colours > 20)
            }
        }
    }
}
