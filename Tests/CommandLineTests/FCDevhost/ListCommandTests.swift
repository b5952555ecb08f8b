import DevhostCore
import Testing

@testable import DevhostCLI

@Suite("list")
struct ListCommandTests {
    /// A libvirt that nobody has: what works with it opens none.
    static let noLibvirt = "qemu+unix:///system?socket=/nonexistent/devhost-test"

    private func host(uri: String = noLibvirt) throws -> CommandHost {
        let host = try CommandHost(uri: uri)
        try host.write("web", #"{"name": "web", "user": "alice", "creation-date": "2024-05-01T12:00:00"}"#)
        try host.write("api", #"{"name": "api", "user": "bob\u001b[31m", "location": "dev"}"#)
        return host
    }

    @Test("names only, sorted, without libvirt")
    func names() async throws {
        let host = try host()
        for command in ["list", "ls"] {
            let result = await host.run(command)
            #expect(result.status == 0 && result.output == "api\nweb\n" && result.errors == "")
        }
        #expect(await host.run("list", "--user", "alice").output == "web\n")
        #expect(await host.run("list", "--user", "nobody").output == "")
    }

    @Test("a broken record is listed, with its reason beside")
    func broken() async throws {
        let host = try host()
        try host.write("half", #"{"name": "#)
        let result = await host.run("list")
        #expect(result.status == 0 && result.output == "api\nhalf\nweb\n")
        #expect(
            result.reason.hasPrefix("fc-devhost: warning: half: the record \(host.records)/half.json cannot be read"))
    }

    @Test("nothing there is nothing said")
    func empty() async throws {
        let host = try CommandHost(uri: Self.noLibvirt)
        let result = await host.run("list")
        #expect(result.status == 0 && result.output == "" && result.errors == "")
    }

    @Test("the table, with what libvirt says")
    func table() async throws {
        let host = try host(uri: "test:///default")
        let result = await host.run("ls", "-l")
        #expect(result.status == 0)
        #expect(
            result.output == """
                NAME  ONLINE  USER           CREATION DATE              LAST DEPLOY DATE  LAST USE  NEXT STEP
                api   no      bob\\u{1b}[31m  -                          -                 -         -
                web   no      alice          2024-05-01T12:00:00+00:00  -                 -         -

                """)
    }

    @Test("without libvirt the table shows what is on record, and the failure")
    func tableWithoutLibvirt() async throws {
        let result = try await host().run("ls", "-l")
        #expect(result.status == 7)
        #expect(result.output.contains("\nweb   unknown  alice"))
        #expect(result.reason.hasPrefix("fc-devhost: "))
    }

    @Test("JSON")
    func json() async throws {
        let result = try await host().run("list", "--json", "--user", "alice")
        #expect(result.status == 0)
        #expect(
            result.output == """
                [
                  {
                    "creation-date" : "2024-05-01T12:00:00+00:00",
                    "name" : "web",
                    "record" : {
                      "aliases" : [

                      ],
                      "creation-date" : "2024-05-01T12:00:00+00:00",
                      "name" : "web",
                      "user" : "alice"
                    },
                    "user" : "alice"
                  }
                ]

                """)
        let withStates = try await host(uri: "test:///default").run("list", "-l", "--json")
        #expect(withStates.output.contains(#""state" : "missing""#))
    }

    @Test("an old record with a password in its URLs loads and is shown without it")
    func secretsInRecords() async throws {
        let host = try CommandHost(uri: Self.noLibvirt)
        try host.write(
            "old",
            #"{"name": "old", "image_url": "https://me:hidden@x/y?sig=hidden", "channel_url": "https://me:hidden@x/c"}"#
        )
        for result in [await host.run("list", "--json"), await host.run("show", "--json", "old")] {
            #expect(result.output.contains("https://x/y?"), "\(result.errors)")
            #expect(!result.output.contains("hidden"))
        }
    }
}
