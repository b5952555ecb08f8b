import DevhostCommandLine
import DevhostCore
import FoundationEssentials
import Testing

@testable import DevhostCLI

@Suite(
    "Releases and images on the command line", .serialized, .enabled(if: Tool("qemu-img").isInstalled, "needs qemu-img")
)
struct ReleaseCommandTests {
    // The mock driver is one for all tests of the process: no other suite has a VM of the name used here.
    let host: CommandHost
    let image: String

    init() async throws {
        host = try CommandHost()
        image = String(try await host.image().dropFirst("file://".count))
    }

    private func publish(_ release: String, _ image: String? = nil) async -> CommandHost.Result {
        await host.run(
            "release", "publish", "team", release, image ?? self.image, "--channel-url", "https://example.com/c.tar.xz")
    }

    @Test("publish, list, show, pin, rebuild, prune")
    func life() async throws {
        #expect(await host.run("channels").status == 3, "no catalog yet")
        let published = await publish("2024_9")
        #expect(published.status == 0 && published.output == "fcrs://team/2024_9 is published\n", "\(published.errors)")
        #expect(await publish("2024_9").status == 0, "the same again is fine")
        let other = "\(host.folder.path)/other.qcow2"
        try await Processes.require(Command("qemu-img", ["create", "-q", "-f", "qcow2", other, "2G"]))
        let changed = await publish("2024_9", other)
        #expect(changed.status == 4 && changed.reason.contains("never changes"), "\(changed.errors)")
        #expect(await publish("2024_10", other).status == 0)

        #expect(await host.run("channels").output == "team\n")
        let listed = await host.run("releases", "team").output.split(separator: "\n").map { line in
            line.split(separator: " ").map(String.init)
        }
        #expect(listed.map(\.[0]) == ["RELEASE", "2024_9", "2024_10"])
        #expect(listed.map(\.[1]) == ["LATEST", "-", "yes"])
        #expect(await host.run("releases", "team", "--json").output.contains(#""latest" : true"#))
        #expect(await host.run("releases", "none").status == 3)

        let shown = await host.run("release", "show", "fcrs://team/")
        #expect(shown.output.contains("2024_10") && shown.output.contains("image SHA-256"), "\(shown.errors)")
        let json = await host.run("release", "show", "--json", "fcrs://team/2024_9").output
        let hash = try #require(
            try JSONDecoder().decode([String: String?].self, from: Data(json.utf8))["image_sha256"] ?? nil)
        #expect(hash.count == 64)

        let made = await host.run("ensure", "--release", "fcrs://team/2024_9", "pinned")
        #expect(made.status == 0, "\(made.errors)")
        for output in [await host.run("show", "--json", "pinned").output, await host.run("ls", "--json").output] {
            #expect(output.contains(#""release" : "fcrs://team/2024_9""#))
            #expect(output.contains(#""release-name" : "2024_9""#))
            #expect(output.contains(#""image-sha256" : "\#(hash)""#))
        }
        let text = await host.run("show", "pinned").output
        #expect(text.contains("2024_9") && text.contains(hash))

        let images = await host.run("images")
        #expect(images.output.contains("\(hash.prefix(12))  ") && images.output.contains("2024_9    pinned\n"))
        #expect(await host.run("images", "--json").output.contains(#""sha256" : "\#(hash)""#))
        let kept = await host.run("images", "prune", "--older-than", "0")
        #expect(kept.status == 0 && kept.output == "" && kept.errors.contains("no image to remove"))

        let rebuilt = await host.run("rebuild", "--release", "fcrs://team/", "pinned")
        #expect(rebuilt.status == 0 && rebuilt.output.hasPrefix("pinned is running at"), "\(rebuilt)")
        #expect(await host.run("show", "pinned").output.contains("2024_10"))
        let pruned = await host.run("images", "prune", "--older-than", "0", "--budget", "64M")
        #expect(pruned.output.hasPrefix("removed \(hash) ("))
        #expect(await host.run("images", "prune", "--json").output.contains(#""removed" : ["#))
        #expect(await host.run("rm", "pinned").status == 0)
    }

    @Test("through sudo only images of listed folders are published; root publishes any")
    func confinement() async throws {
        let folder = try TemporaryDirectory(prefix: "devhost-elsewhere")
        let path = "\(folder.path)/image.qcow2"
        try await Processes.require(Command("qemu-img", ["create", "-q", "-f", "qcow2", path, "1G"]))
        let configuration = try Configuration.load(host.configuration)
        let names = (try ReleaseName("1"), try ChannelName("team"))
        func devhost(isElevated: Bool) -> Devhost {
            Devhost(
                configuration: configuration, caller: Caller(userID: 1000, name: "alice", isElevated: isElevated))
        }
        for refused in [path, "/etc/shadow", "\(host.folder.path)/../\(folder.path)/image.qcow2"] {
            let error = await #expect(throws: DevhostError.self) {
                try await devhost(isElevated: true).publish(image: refused, as: names.0, in: names.1)
            }
            #expect(error?.code == .permissionDenied)
        }
        let link = "\(host.folder.path)/link.qcow2"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        await #expect(throws: DevhostError.self) {
            try await devhost(isElevated: true).publish(image: link, as: names.0, in: names.1)
        }
        try await devhost(isElevated: true).publish(image: image, as: names.0, in: names.1)
        try await devhost(isElevated: false).publish(image: path, as: ReleaseName("2"), in: names.1)
        withExtendedLifetime(folder) {}
    }

    @Test("what is no image is not published, and what is no release is not shown")
    func refusals() async throws {
        let text = "\(host.folder.path)/text.qcow2"
        try Files.writeAtomically(text, Array("hello\n".utf8), mode: 0o644)
        #expect(await publish("1", text).status == 10)
        #expect(await publish("1", "\(host.folder.path)/missing").status == 3)
        #expect(await publish("index").status == 2)
        #expect(await host.run("release", "show", "fcrs://team/1").status == 3)
        #expect(await host.run("release", "show").status == 2)
        #expect(await host.run("release", "show", "--hydra-eval", "1", "fcrs://a/").status == 2)
        #expect(await host.run("release", "show", "--hydra-eval", "1").status == 14)
        #expect(await host.run("rebuild", "nobody").status == 3)
        #expect(await host.run("rebuild", "--channel-url", "http://a/b", "nobody").status == 2)
        for days in ["", "-1", "1.5", "x", "36501", "99999999999999999999"] {
            #expect(await host.run("images", "prune", "--older-than", days).status == 2)
        }
        for size in ["", "0", "-1", "10GB"] {
            #expect(await host.run("images", "prune", "--budget", size).status == 2)
        }
        for name in ["..", "a/b", "", "-x", "a b"] {
            #expect(await host.run("releases", "--", name).status == 2)
            #expect(await host.run("release", "publish", "--", name, "1", image).status == 2)
            #expect(await host.run("release", "publish", "--", "team", name, image).status == 2)
        }
    }
}
