import DevhostBase
import FoundationEssentials
import Testing

@testable import DevhostCore

extension ProxyTests {
    /// Who may see what is private.
    @Suite(.serialized) struct AccessTests {
        /// The bcrypt hash of "secret", at the lowest cost.
        private func hash(_ host: ProxyHost) async throws -> String {
            try await host.shell("caddy hash-password --plaintext secret").text.trimmed
        }

        /// A devhost with other rules over the same VMs.
        private func devhost(_ host: ProxyHost, _ change: (inout Configuration.Publish) -> Void) -> Devhost {
            var configuration = host.test.configuration
            change(&configuration.publish)
            return Devhost(
                configuration: configuration, caller: host.devhost.caller, clock: RealClock(), probe: AnsweringProbe(),
                libvirt: host.devhost.libvirt)
        }

        @Test func privateIsForTheAllowedAndTheRestIsForEverybody() async throws {
            try await ProxyHost.run("allow = 127.0.0.0/8") { host in
                try await host.serve("10.12.0.2")
                try await host.serve("10.12.0.3")
                try await host.ensure("hidden", aliases: "app", isPrivate: true)
                try await host.ensure("demo")
                let six = "--resolve '*:443:[::1]'"
                #expect(try await host.status("https://hidden.localhost/") == 200)
                #expect(try await host.status("\(six) https://app.hidden.localhost/") == 403)
                #expect(try await host.status("\(six) https://demo.localhost/") == 200)
                let fronted = "--http1.1 -H 'Host: hidden.localhost' \(six) https://demo.localhost/"
                #expect(try await host.status(fronted) == 403, "the name of the handshake opens nothing")
                try await host.ensure("hidden", aliases: "app", isPrivate: false)
                #expect(try await host.status("\(six) https://hidden.localhost/") == 200)
            }
        }

        @Test func withoutRulesNobodyIsAllowed() async throws {
            try await ProxyHost.run("private = yes") { host in
                try await host.serve()
                try await host.ensure("demo")
                #expect(try await host.status("https://demo.localhost/") == 403)
                try await host.ensure("demo", isPrivate: false)
                #expect(try await host.status("https://demo.localhost/") == 200)
            }
        }

        @Test func aPasswordOpensAndTheVMNeverSeesIt() async throws {
            try await ProxyHost.run("landing-page = yes") { host in
                try await host.serve()
                let path = "\(host.test.folder.path)/passwords"
                try Files.write(path, Array("alice:\(try await hash(host))\n".utf8), mode: 0o600)
                try await host.ensure("demo", isPrivate: true)
                try await host.ensure("open")
                let either = devhost(host) {
                    $0.passwordFile = path
                    $0.allow = (try? [ClientNetwork("::1")]) ?? []
                }
                #expect(try await either.publish().changedProxy)
                for url in ["https://demo.localhost/", "https://localhost/"] {
                    #expect(try await host.status(url) == 401)
                    #expect(try await host.status("-u alice:wrong \(url)") == 401)
                    #expect(try await host.status("-u bob:secret \(url)") == 401)
                    #expect(try await host.status("-u alice:secret \(url)") == 200)
                    #expect(try await host.status("--resolve '*:443:[::1]' \(url)") == 200)
                }
                #expect(try await host.echo("-u alice:secret https://demo.localhost/").headers["authorization"] == nil)
                let own = "--resolve '*:443:[::1]' -H 'Authorization: Bearer x' https://demo.localhost/"
                #expect(try await host.echo(own).headers["authorization"] == "Bearer x")
                for scheme in ["Basic", "basic"] {
                    let saved = own.replacing("Bearer", with: scheme)
                    #expect(try await host.echo(saved).headers["authorization"] == nil)
                }
                let both = devhost(host) {
                    $0.passwordFile = path
                    $0.allow = (try? [ClientNetwork("::1")]) ?? []
                    $0.require = .all
                }
                #expect(try await both.publish().changedProxy)
                #expect(try await host.status("-u alice:secret https://demo.localhost/") == 403)
                #expect(try await host.status("--resolve '*:443:[::1]' https://demo.localhost/") == 401)
                #expect(try await host.status("--resolve '*:443:[::1]' -u alice:secret https://demo.localhost/") == 200)
                let mode = try await host.shell(
                    "stat -c '%a %U:%G' \(host.test.configuration.layout.proxyConfiguration)")
                #expect(mode.text == "640 root:caddy\n")
                #expect(!host.log.contains("secret"))
            }
        }
    }
}
