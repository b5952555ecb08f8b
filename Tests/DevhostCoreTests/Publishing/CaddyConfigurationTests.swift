import FoundationEssentials
import Testing

@testable import DevhostCore

/// What Caddy is told, against the files in Tests/Golden.
@Suite struct CaddyConfigurationTests {
    static let hash = "$2y$05$abcdefghijklmnopqrstuuKHpNwWm3pKJ1n9l2p1dT3uHhUq7bCy2"

    static let cases: [(name: String, settings: String, materials: CaddyConfiguration.Materials)] = [
        ("localhost", "", .init()),
        (
            "acme",
            """
            public-address = dev.example.com
            acme-email = admin@example.com
            acme-directory = https://ca.example.com/directory
            acme-root = /etc/devhost/ca.pem
            allow = 192.0.2.0/24 2001:db8::/32
            landing-page = yes
            """, .init()
        ),
        (
            "either-rule",
            """
            allow = 192.0.2.7
            password-file = /etc/devhost/passwords
            """,
            .init(passwords: [.init(name: "alice", hash: hash)])
        ),
        (
            "own-certificate",
            """
            public-address = dev.example.com
            tls-certificate = /etc/devhost/tls.pem
            tls-key = /etc/devhost/tls.key
            allow = 192.0.2.7
            password-file = /etc/devhost/passwords
            require = all
            """,
            .init(
                passwords: [.init(name: "alice", hash: hash)], certificate: .init(certificate: "CERT\n", key: "KEY\n"))
        ),
    ]

    @Test(arguments: cases.indices) func theConfigurationIsTheGoldenOne(_ index: Int) throws {
        let (name, settings, materials) = Self.cases[index]
        let configuration = try Configuration(text: "[publish]\n\(settings)\n", source: "devhost.cfg")
        let rendered = try CaddyConfiguration(
            configuration.publish, layout: configuration.layout, materials: materials
        ).rendered()
        try Golden.expect(bytes: rendered, "caddy-\(name).json")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let decoded = try decoder.decode(CaddyConfiguration.self, from: Data(rendered))
        #expect(try decoded.rendered() == rendered)
    }

    @Test func caddyNeverTouchesTheTrustStoreAndNeverListensForEverybodysCommands() throws {
        let configuration = try Configuration(text: "", source: "devhost.cfg")
        let caddy = CaddyConfiguration(configuration.publish, layout: configuration.layout, materials: .init())
        #expect(caddy.apps.pki.certificateAuthorities.values.allSatisfy { !$0.installTrust })
        #expect(caddy.admin.listen == "unix//var/lib/devhost/_publish/control/admin.sock")
        #expect(!caddy.admin.config.persist)
    }

    @Test func aPasswordFileWithoutEntriesLetsNobodyThrough() throws {
        func rendered(_ settings: String) throws -> String {
            let configuration = try Configuration(text: "[publish]\n\(settings)\n", source: "devhost.cfg")
            let caddy = CaddyConfiguration(
                configuration.publish, layout: configuration.layout, materials: .init(passwords: []))
            return String(decoding: try caddy.rendered(), as: UTF8.self)
        }
        let (address, file) = ("allow = 192.0.2.7", "password-file = /etc/devhost/passwords")
        #expect(try rendered("\(address)\n\(file)\nrequire = all") == rendered(""))
        #expect(try rendered("\(address)\n\(file)") == rendered(address))
        #expect(try rendered("\(address)\nrequire = all") == rendered(address))
        #expect(try rendered(file) == rendered(""))
    }

    @Test func theServiceOfSystemdIsDebiansWithTheDevhostsConfiguration() {
        let lines = SystemdProxy(layout: Layout(), user: "caddy").text.split(separator: "\n").map(String.init)
        #expect(lines.contains("User=caddy"))
        // An empty value takes back what Debian's unit says; only then a second command is allowed.
        let command = "ExecStart=/usr/bin/caddy run --config /var/lib/devhost/_publish/caddy.json"
        #expect(lines.filter { $0.hasPrefix("ExecStart=") } == ["ExecStart=", command])
        #expect(lines.contains("ExecStartPre=-/bin/rm -f /var/lib/devhost/_publish/control/admin.sock"))
    }

    @Test(arguments: [
        ("", false), ("public-address = demo.localhost", false), ("public-address = dev.example.com", true),
        ("public-address = dev.example.com\nissuer = internal", false), ("issuer = acme", true),
    ]) func certificatesComeFromACMEWhereTheAddressIsPublic(_ settings: String, _ isACME: Bool) throws {
        let configuration = try Configuration(text: "[publish]\n\(settings)\n", source: "devhost.cfg")
        #expect(configuration.publish.usesACME == isACME)
    }

    @Test(arguments: [
        "public-address = Dev.example.com", "public-address = a b", "public-address = *.example.com", "proxy = nginx",
        "user = root", "user = -x", "user = a b", "acme-email = nobody", "acme-email = a@b@c", "acme-root = relative",
        "tls-certificate = /a", "tls-key = /a", "allow = everybody", "allow = 10.0.0.0/33", "allow = ::/129",
        "allow = 10.0.0.0/", "allow = 10.0.0.0/8/8", "require = some", "private = maybe", "landing-page = true",
        "weekly-limit = 0", "weekly-limit = many", "password-file = ../x", "acme-directory = ftp://x/",
    ]) func whatIsWrongIsTold(_ line: String) {
        let error = #expect(throws: DevhostError.self) {
            try Configuration(text: "[publish]\n\(line)\n", source: "devhost.cfg")
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("[publish]") == true, "\(String(describing: error))")
    }
}
