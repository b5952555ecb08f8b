import DevhostCore
import Foundation
import Glibc
import Synchronization
import Testing

@testable import DevhostBase

/// Catalogs in folders and behind a real server, and what they publish.
@Suite struct ReleaseCatalogTests {
    private let root: TestFolder
    private let images: TestImages
    private let channel: ChannelName

    init() throws {
        root = try TestFolder("catalog")
        images = TestImages(folder: root.path)
        channel = try ChannelName("fc-dev")
    }

    private var catalog: ReleaseCatalog { ReleaseCatalog(.folder("\(root.path)/catalog")) }

    private func write(_ path: String, _ text: String) throws {
        let path = "\(root.path)/catalog/\(path)"
        try Files.createDirectory(Files.directory(of: path), mode: 0o755)
        try Files.writeAtomically(path, Array(text.utf8), mode: 0o644)
    }

    private func resolver(_ catalog: ReleaseCatalog?, ledger: ReleaseLedger? = nil) -> ReleaseResolver {
        ReleaseResolver(catalog: catalog, hydra: nil, fileFolders: ["\(root.path)/catalog"], ledger: ledger)
    }

    /// A server of the catalog's folder, as simple as servers of files are.
    private func serve() throws -> (server: LoopbackServer, catalog: ReleaseCatalog) {
        let folder = "\(root.path)/catalog"
        let server = try LoopbackServer { request, client in
            if let content = try? Files.read(folder + request.path) {
                client.reply("200 OK", content)
            } else if request.path.hasSuffix("/"), Files.isDirectory(folder + request.path) {
                client.reply("200 OK", Array("<html>Index of \(request.path)</html>".utf8))
            } else {
                client.reply("404 Not Found")
            }
        }
        return (server, ReleaseCatalog(.server(try server.url("/"))))
    }

    // MARK: Reading

    @Test func aReleaseIsRead() async throws {
        let hash = "sha256-ODE1NTA0MmM0Mjk5ODJjN2VkODdhMjJmYjA2ZDM1NDUwZDhhYTUyYjVjYTQwYjBmMjBiZTU0ZDllYmRmYWY1OA=="
        try write(
            "fc-dev/2024_021.json",
            """
            {"channel_url": "https://hydra.example.org/build/1/download/1/nixexprs.tar.xz",
             "devhost_image_url": "https://hydra.example.org/build/2/download/1", "devhost_image_hash": "\(hash)",
             "image_url": "https://hydra.example.org/build/3/download/1", "release_name": "2024_021",
             "rolling_channel": false, "changelog_url": null}
            """)
        let expected = "8155042c429982c7ed87a22fb06d35450d8aa52b5ca40b0f20be54d9ebdfaf58"
        for catalog in [self.catalog, try serve().catalog] {
            for text in ["fcrs://fc-dev/2024_021", "fcrs://fc-dev/"] {
                if text.hasSuffix("/"), catalog.location != self.catalog.location { continue }
                let release = try await resolver(catalog).resolve(try ReleaseReference(text))
                #expect(release.imageURL.description == "https://hydra.example.org/build/2/download/1")
                #expect(
                    release.channelURL?.description == "https://hydra.example.org/build/1/download/1/nixexprs.tar.xz")
                #expect(release.imageHash?.description == expected)
                #expect(release.releaseName == "2024_021")
            }
        }
    }

    @Test func relativeImagesAreFoundBesideTheirMetadata() async throws {
        try write("fc-dev/1.json", #"{"devhost_image_url": "disk image.qcow2"}"#)
        try write("fc-dev/2.json", #"{"devhost_image_url": "../other/disk.qcow2"}"#)
        let (server, remote) = try serve()
        let release = try await resolver(remote).resolve(try ReleaseReference("fcrs://fc-dev/2"))
        #expect(release.imageURL.description == "http://127.0.0.1:\(server.port)/other/disk.qcow2")
        let local = try await resolver(catalog).resolve(try ReleaseReference("fcrs://fc-dev/1"))
        #expect(local.imageURL.path == "\(root.path)/catalog/fc-dev/disk image.qcow2")
    }

    @Test(arguments: [
        ("{}", DevhostError.Code.refused, "has no dev image"),
        (#"{"devhost_image_url": null}"#, .refused, "has no dev image"),
        ("", .damaged, "no release metadata"), ("[]", .damaged, "no release metadata"),
        ("<html>secret words", .damaged, "no release metadata"),
        (#"{"devhost_image_url": 7}"#, .damaged, "'devhost_image_url'"),
        (#"{"devhost_image_url": "ftp://x/y"}"#, .damaged, "unusable devhost_image_url"),
        (
            #"{"devhost_image_url": "http://x/y", "devhost_image_hash": "md5-x"}"#, .damaged,
            "unusable devhost_image_hash"
        ),
        (#"{"devhost_image_url": "http://x/y", "channel_url": "javascript:x"}"#, .damaged, "unusable channel_url"),
        (#"{"devhost_image_url": "http://x/y", "release_name": "a\u0007"}"#, .damaged, "'release_name'"),
        (
            #"{"devhost_image_url": "http://x/y", "release_name": "\#(String(repeating: "x", count: 129))"}"#, .damaged,
            "'release_name'"
        ),
    ])
    func metadataThatIsNoneIsRefusedWithTheReason(text: String, code: DevhostError.Code, reason: String) async throws {
        try write("fc-dev/1.json", text)
        for catalog in [self.catalog, try serve().catalog] {
            let error = await expectError(code, containing: reason) {
                try await resolver(catalog).resolve(try ReleaseReference("fcrs://fc-dev/1"))
            }
            #expect(error?.description.contains("secret words") == false)
        }
    }

    @Test func whatIsMissingIsSaidToBeMissing() async throws {
        try write("fc-dev/1.json", #"{"devhost_image_url": "http://x/y"}"#)
        let (server, remote) = try serve()
        for catalog in [self.catalog, remote] {
            await expectError(.notFound, containing: "no release 2 in the channel fc-dev") {
                try await resolver(catalog).resolve(try ReleaseReference("fcrs://fc-dev/2"))
            }
            await expectError(.notFound, containing: "no channel other") {
                try await resolver(catalog).resolve(try ReleaseReference("fcrs://other/"))
            }
        }
        #expect(!server.requests.isEmpty)
        await expectError(.unavailable) {
            try await resolver(ReleaseCatalog(.server(try ResourceURL("http://127.0.0.1:1/"))))
                .resolve(try ReleaseReference("fcrs://fc-dev/2"))
        }
        await expectError(.invalidConfiguration) {
            try await resolver(nil).resolve(try ReleaseReference("fcrs://fc-dev/2"))
        }
        await expectError(.invalidConfiguration) { try await resolver(nil).resolve(.hydra(1)) }
    }

    @Test func metadataByURLAndByFile() async throws {
        try write("fc-dev/1.json", #"{"devhost_image_url": "http://x/y", "release_name": "one"}"#)
        let (server, _) = try serve()
        for url in [try server.url("/fc-dev/1.json"), try ResourceURL("file://\(root.path)/catalog/fc-dev/1.json")] {
            #expect(try await resolver(nil).resolve(.metadata(url)).releaseName == "one")
        }
        for path in ["/etc/shadow", "\(root.path)/catalog/../x", "/no/such/file"] {
            await expectError(.permissionDenied) {
                try await resolver(nil).resolve(.metadata(try ResourceURL("file://\(path)")))
            }
        }
    }

    @Test func anImageByItsURLIsWhatItSays() async throws {
        let image = try ResourceURL("https://example.org/a.qcow2")
        let channel = try ResourceURL("https://example.org/channel")
        let release = try await resolver(nil).resolve(.image(image, channel: channel))
        #expect(release.imageURL == image && release.channelURL == channel && release.imageHash == nil)
    }

    @Test func urlsWithAPasswordAreRefusedWhereverTheyWouldBeKept() async throws {
        let secret = try ResourceURL("https://me:hidden@example.org/a?sig=1")
        let plain = try ResourceURL("https://example.org/a?sig=1")
        #expect(try await resolver(nil).resolve(.image(plain, channel: plain)).imageURL == plain)
        try write("fc-dev/1.json", #"{"devhost_image_url": "https://me:hidden@example.org/a"}"#)
        try write("fc-dev/2.json", #"{"devhost_image_url": "https://x/y", "channel_url": "https://me@example.org/a"}"#)
        let references: [ReleaseReference] = [
            .image(secret, channel: nil), .image(plain, channel: secret), .metadata(secret),
            try ReleaseReference("fcrs://fc-dev/1"), try ReleaseReference("fcrs://fc-dev/2"),
        ]
        for reference in references {
            let error = await expectError(.refused, containing: "readable by everyone") {
                try await resolver(catalog).resolve(reference)
            }
            #expect(error?.description.contains("hidden") == false)
        }
        let image = try await images.qcow2("mine.qcow2")
        await expectError(.refused, containing: "readable by everyone") {
            try await catalog.publish(
                image: image, as: try ReleaseName("3"), in: channel, from: nil, channelURL: secret)
        }
    }

    @Test func locationsAreParsed() async throws {
        #expect(try ReleaseCatalog.Location("/srv/catalog") == .folder("/srv/catalog"))
        #expect(try ReleaseCatalog.Location("file:///srv/a%20b") == .folder("/srv/a b"))
        #expect(try ReleaseCatalog.Location("https://x/y") == .server(try ResourceURL("https://x/y")))
        for text in ["", "catalog", "https://x/?a=b", "https://x/#a", "ftp://x/"] {
            await expectError(.invalidArgument) { try ReleaseCatalog.Location(text) }
        }
    }

    // MARK: The ledger

    @Test func aReleaseThatChangesItsImageIsRefusedWithBoth() async throws {
        let ledger = ReleaseLedger(path: "\(root.path)/ledger.json")
        let hashes = try [1, 2].map { try SHA256Hasher.digest([$0]) }
        func resolve(_ hash: SHA256Digest?, _ text: String) async throws {
            let value = hash.map { "\"\($0.subresourceIntegrity)\"" } ?? "null"
            try write(
                "fc-dev/1.json",
                #"{"devhost_image_url": "http://x/y", "release_name": "1", "devhost_image_hash": \#(value)}"#)
            _ = try await resolver(catalog, ledger: ledger).resolve(try ReleaseReference(text))
        }
        try await resolve(nil, "fcrs://fc-dev/1")
        try await resolve(hashes[0], "fcrs://fc-dev/1")
        try await resolve(hashes[0], "fcrs://fc-dev/")
        for text in ["fcrs://fc-dev/1", "fcrs://fc-dev/"] {
            let error = await expectError(.refused, containing: hashes[0].description) {
                try await resolve(hashes[1], text)
            }
            #expect(error?.description.contains(hashes[1].description) == true)
        }
        await expectError(.refused, containing: "does not pin its image") { try await resolve(nil, "fcrs://fc-dev/1") }
        try await resolve(hashes[0], "fcrs://fc-dev/1")
        #expect(try Files.names(in: root.path).sorted() == ["catalog", "ledger.json"])
        try Files.writeAtomically(ledger.path, Array("{".utf8), mode: 0o644)
        await expectError(.damaged, containing: ledger.path) { try await resolve(hashes[0], "fcrs://fc-dev/1") }
    }

    @Test func anyNumberOfDocumentsKeepsTheLedgerReadable() async throws {
        let ledger = ReleaseLedger(path: "\(root.path)/ledger.json")
        let hash = try SHA256Hasher.digest([1])
        try await ledger.check("fcrs://fc-dev/1", hash)
        let since = "2024-01-01T00:00:00Z"
        var entries: [String: [String: String]] = ["fcrs://fc-dev/2": ["sha256": "\(hash)", "since": since]]
        for number in 0..<3000 {
            entries["https://example.org/\(number) x"] = ["sha256": "\(hash)", "since": since]
        }
        try Files.write(ledger.path, Array(try JSONEncoder().encode(entries)), mode: 0o644)
        try await ledger.check("https://example.org/new x", hash)
        let kept = try JSONDecoder().decode([String: [String: String]].self, from: Data(try Files.read(ledger.path)))
        #expect(kept.count == ReleaseLedger.mostDocuments + 1)
        #expect(kept["https://example.org/new x"] != nil && kept["fcrs://fc-dev/2"] != nil)
    }

    // MARK: Lists

    @Test func aFolderIsListedInFullAndAServerAsFarAsItGoes() async throws {
        try write("fc-dev/2.json", #"{"devhost_image_url": "http://x/y", "release_name": "2"}"#)
        try write("fc-dev/10.json", #"{"devhost_image_url": "http://x/y", "release_name": "10"}"#)
        try write("fc-dev/3.json", "{")
        try write("other/1.json", "{}")
        try write("empty/readme.txt", "")
        try write(".hidden/1.json", "{}")
        #expect(try await catalog.channels().map(\.description) == ["fc-dev", "other"])
        let releases = try await catalog.releases(of: channel)
        #expect(releases.map(\.name.description) == ["2", "3", "10"])
        #expect(releases.map(\.isLatest) == [false, false, true])
        #expect(releases[1].metadata == nil && releases[1].problem != nil)
        await expectError(.notFound) { try await catalog.releases(of: try ChannelName("none")) }
        await expectError(.notFound) { try await ReleaseCatalog(.folder("/no/such/catalog")).channels() }

        let (_, remote) = try serve()
        await expectError(.unsupported, containing: "this catalog cannot be listed") { try await remote.channels() }
        await expectError(.unsupported, containing: "this catalog cannot be listed") {
            try await remote.releases(of: channel)
        }
        try write("index.json", #"{"channels": ["other", "fc-dev"]}"#)
        try write(
            "fc-dev/index.json", #"{"releases": ["10", "2"], "release_name": "10", "devhost_image_url": "http://x/y"}"#)
        #expect(try await remote.channels().map(\.description) == ["fc-dev", "other"])
        #expect(try await remote.releases(of: channel).map(\.name.description) == ["2", "10"])
        #expect(try await remote.releases(of: channel).map(\.isLatest) == [false, true])
        try write("index.json", #"{"channels": ["../x"]}"#)
        await expectError(.unsupported) { try await remote.channels() }
    }

    // MARK: Publishing

    @Test func whatIsPublishedIsListedResolvedAndStored() async throws {
        let image = try await images.qcow2("mine.qcow2")
        let hash = try SHA256Hasher.digest(try Files.read(image))
        let nixpkgs = try ResourceURL("https://example.org/nixexprs.tar.xz")
        for name in ["2024_2", "2024_10"] {
            try await catalog.publish(
                image: image, as: try ReleaseName(name), in: channel, from: [root.path], channelURL: nixpkgs)
        }
        #expect(try await catalog.channels() == [channel])
        #expect(try await catalog.releases(of: channel).map(\.isLatest) == [false, true])
        let release = try await resolver(catalog).resolve(try ReleaseReference("fcrs://fc-dev/"))
        #expect(release.releaseName == "2024_10" && release.imageHash == hash && release.channelURL == nixpkgs)
        let store = ImageStore(
            folders: ImageStore.Folders(
                records: "\(root.path)/store", work: "\(root.path)/work", locks: "\(root.path)/locks",
                files: ["\(root.path)/catalog"]),
            volumes: FolderVolumes(folder: "\(root.path)/store"), holder: "a test")
        let source = ImageSource(url: release.imageURL, releaseName: release.releaseName)
        #expect(try await store.ensureImage(source, expectedHash: release.imageHash).sha256 == hash)
        // Served by any web server, it is a catalog as well.
        let (_, remote) = try serve()
        #expect(try await resolver(remote).resolve(try ReleaseReference("fcrs://fc-dev/")).imageHash == hash)
        #expect(try await remote.releases(of: channel).map(\.name.description) == ["2024_2", "2024_10"])
        #expect(try Files.names(in: "\(root.path)/catalog").filter { $0.hasPrefix(".") } == [])
        #expect(try Files.names(in: "\(root.path)/catalog/fc-dev").filter { $0.hasPrefix(".") } == [])
    }

    @Test func aCatalogThatIsServedNamesItsOwnAddress() async throws {
        let image = try await images.qcow2("mine.qcow2")
        let metadata = try await catalog.publish(
            image: image, as: try ReleaseName("1"), in: channel, from: nil,
            servedAt: try ResourceURL("https://images.example.org/catalog"))
        #expect(metadata.imageURL == "https://images.example.org/catalog/fc-dev/1.qcow2")
    }

    @Test func aPublishedReleaseNeverChanges() async throws {
        let one = try await images.qcow2("one.qcow2")
        let two = try await images.qcow2("two.qcow2", filledWith: 2)
        let name = try ReleaseName("1")
        let first = try await catalog.publish(image: one, as: name, in: channel, from: nil)
        #expect(try await catalog.publish(image: one, as: name, in: channel, from: nil) == first)
        let hash = try SHA256Hasher.digest(try Files.read(two)).description
        await expectError(.alreadyExists, containing: hash) {
            try await catalog.publish(image: two, as: name, in: channel, from: nil)
        }
        await expectError(.alreadyExists) {
            try await catalog.publish(
                image: one, as: name, in: channel, from: nil, channelURL: try ResourceURL("https://example.org/x"))
        }
        #expect(try Files.read("\(root.path)/catalog/fc-dev/1.qcow2") == (try Files.read(one)))
    }

    @Test func publishingAnOldReleaseAgainLeavesTheLatestOne() async throws {
        let image = try await images.qcow2("one.qcow2")
        func publish(_ name: String) async throws {
            try await catalog.publish(image: image, as: try ReleaseName(name), in: channel, from: nil)
        }
        func latest() async throws -> String? { try await catalog.metadata(channel, nil).releaseName }
        for name in ["1", "2", "1"] { try await publish(name) }
        #expect(try await latest() == "2")
        // What a crash left undone is completed.
        for index in ["catalog/index.json", "catalog/fc-dev/index.json"] {
            try Files.remove("\(root.path)/\(index)")
            try await publish("1")
            #expect(Files.exists("\(root.path)/\(index)"))
        }
        #expect(try await latest() == "1")
    }

    @Test func onlyGoodImagesThatTheCallerMayTakeArePublished() async throws {
        let good = try await images.qcow2("good.qcow2")
        let secret = try images.file("secret", Array("words".utf8))
        let backed = "\(root.path)/backed.qcow2"
        try await images.run("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", secret, backed])
        func publish(_ path: String, _ name: String = "1", from folders: [String]? = nil) async throws {
            try await catalog.publish(image: path, as: try ReleaseName(name), in: channel, from: folders)
        }
        await expectError(.refused, containing: "backing file") { try await publish(backed) }
        await expectError(.refused, containing: "qcow2 header") { try await publish(secret) }
        await expectError(.refused) { try await publish("/dev/null") }
        await expectError(.notFound) { try await publish("\(root.path)/missing") }
        await expectError(.permissionDenied) { try await publish(good, from: ["\(root.path)/elsewhere"]) }
        await expectError(.invalidArgument) { try await publish(good, "index") }
        let remote = ReleaseCatalog(.server(try ResourceURL("http://127.0.0.1:1/")))
        await expectError(.unsupported) {
            try await remote.publish(image: good, as: try ReleaseName("1"), in: channel, from: nil)
        }
        #expect(try await catalog.channels() == [])
    }
}
