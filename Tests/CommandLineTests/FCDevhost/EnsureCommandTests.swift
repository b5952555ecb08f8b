import DevhostCommandLine
import DevhostCore
import Testing

@testable import DevhostCLI

@Suite("The options of ensure")
struct EnsureCommandTests {
    private func command(_ words: String...) throws -> EnsureCommand {
        guard case .run(_, let arguments) = try FCDevhost.program.parse(["ensure"] + words) else {
            throw DevhostError(.failed, "no command")
        }
        return try EnsureCommand(arguments)
    }

    @Test("as batou calls it")
    func batou() throws {
        let request = try command(
            "--memory", "4096", "--cpu", "4", "--aliases", "'web api'", "--disk-size", "50G", "--location", "dev",
            "--image-url", "https://example.com/i.qcow2", "--channel-url", "https://example.com/c.tar.xz",
            "--no-update-channel", "0a1b2c3d"
        ).request
        #expect(request.name.description == "0a1b2c3d")
        #expect(request.memory?.mebibytes == 4096)
        #expect(request.cpus?.value == 4)
        #expect(request.aliases?.map(\.description) == ["web", "api"])
        #expect(request.diskSize?.bytes == 50 << 30)
        #expect(request.location?.description == "dev")
        #expect(
            request.release
                == .image(
                    try ResourceURL("https://example.com/i.qcow2"),
                    channel: try ResourceURL("https://example.com/c.tar.xz")))
        #expect(!request.updatesChannel)
        #expect(request.authorizedKeys == nil && request.startLimit == nil)
    }

    @Test("nothing said, nothing asked for")
    func minimal() throws {
        let request = try command("demo").request
        #expect(request.memory == nil && request.cpus == nil && request.diskSize == nil && request.aliases == nil)
        #expect(request.location == nil && request.release == nil && request.updatesChannel)
    }

    @Test(
        "aliases with batou's quotes and without", arguments: ["", "''", "web", "'web'", "web api web", "'web  api'"])
    func aliases(text: String) throws {
        let aliases = try command("--aliases", text, "demo").request.aliases?.map(\.description)
        #expect(aliases == text.replacing("'", with: "").split(separator: " ").map(String.init).uniqued())
    }

    @Test(
        "releases",
        arguments: [
            ("--release", "fcrs://fc-23.11-production/2024_012", "fcrs://fc-23.11-production/2024_012"),
            ("--release", "fcrs://fc-23.11-production", "fcrs://fc-23.11-production/"),
            ("--release", "https://example.com/release.json", "https://example.com/release.json"),
            ("--hydra-eval", "12345", "Hydra evaluation 12345"),
        ])
    func releases(option: String, text: String, reference: String) throws {
        #expect(try command(option, text, "demo").request.release?.description == reference)
    }

    @Test("of a pair the last one holds")
    func toggles() throws {
        #expect(try command("--no-update-channel", "--update-channel", "demo").request.updatesChannel)
        #expect(try !command("--update-channel", "--no-update-channel", "demo").request.updatesChannel)
    }

    @Test("keys and the limit")
    func keys() throws {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq1p7pJ9yX9Xo5P6rQ4bq2bJ1xwq3nV4bYc0c0bQm1a me"
        let request = try command("--authorized-key", key, "--authorized-key", key, "--timeout", "5m", "demo").request
        #expect(request.authorizedKeys?.count == 2)
        #expect(request.startLimit == .seconds(300))
    }

    @Test(
        "sources that exclude each other",
        arguments: [
            ["--image-url", "file:///a", "--hydra-eval", "1"], ["--image-url", "file:///a", "--release", "fcrs://a/b"],
            ["--hydra-eval", "1", "--release", "fcrs://a/b"],
            ["--channel-url", "http://a/b", "--release", "fcrs://a/b"],
            ["--channel-url", "http://a/b"],
        ])
    func sources(options: [String]) {
        let error = #expect(throws: DevhostError.self) {
            guard case .run(_, let arguments) = try FCDevhost.program.parse(["ensure"] + options + ["demo"]) else {
                return
            }
            _ = try EnsureCommand(arguments)
        }
        #expect(error?.code == .invalidArgument)
    }
}

extension Array where Element: Hashable {
    fileprivate func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
