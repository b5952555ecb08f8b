import DevhostBase
import DevhostCore
import Foundation
import Glibc
import Synchronization
import Testing

/// A clock that stands still until a test moves it.
final class ManualClock: SystemClock {
    private let time = Mutex(Date(timeIntervalSince1970: 1_700_000_000))
    var now: Date { time.withLock { $0 } }
    var monotonic: ContinuousClock.Instant { .now }
    func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
    func advance(days: Double) { time.withLock { $0 += days * 86400 } }
}

/// The store over a plain folder, with real images from real servers.
@Suite struct ImageStoreTests {
    let root: TestFolder
    let images: TestImages
    let clock = ManualClock()
    let log = EventLog()

    init() throws {
        root = try TestFolder("store")
        for folder in ["store", "work", "locks", "files"] { mkdir("\(root.path)/\(folder)", 0o700) }
        images = TestImages(folder: "\(root.path)/files")
    }

    func store(holder: String = "a test", _ change: (inout ImageLimits) -> Void = { _ in }) -> ImageStore {
        var limits = ImageLimits()
        limits.reserve = 0
        limits.http.pause = .zero
        limits.http.attempts = 2
        change(&limits)
        return ImageStore(
            folders: ImageStore.Folders(
                records: "\(root.path)/store", work: "\(root.path)/work", locks: "\(root.path)/locks",
                files: ["\(root.path)/files"]),
            volumes: FolderVolumes(folder: "\(root.path)/store"), limits: limits, holder: holder, clock: clock)
    }

    func digest(_ path: String) throws -> SHA256Digest { try SHA256Hasher.digest(try Files.read(path)) }

    func fileURL(_ path: String) throws -> ImageSource {
        ImageSource(url: try ResourceURL("file://\(path)"))
    }

    func expectNothingLeft() throws {
        #expect(try Files.names(in: "\(root.path)/work") == [])
        #expect(try Files.names(in: "\(root.path)/locks") == [])
    }

    func expectEmpty() throws {
        try expectNothingLeft()
        #expect(try Files.names(in: "\(root.path)/store") == [])
    }

    // MARK: Coming in

    @Test func aPinnedImageIsDownloadedOnceAndThenFoundWithoutTheServer() async throws {
        let path = try await images.qcow2("a.qcow2")
        let content = try Files.read(path)
        let hash = try digest(path)
        let server = try LoopbackServer(serving: content)
        let source = ImageSource(url: try server.url("/a.qcow2", credentials: "me:hidden@"), releaseName: "2024_1")
        let image = try await store().ensureImage(source, expectedHash: hash, progress: log.handler)
        #expect(image == BaseImage(sha256: hash, path: "\(root.path)/store/\(hash).qcow2", virtualSize: 8 << 20))
        #expect(try Files.read(image.path) == content)
        var status = stat()
        #expect(stat(image.path, &status) == 0 && status.st_mode & 0o777 == 0o444)
        let elsewhere = ImageSource(url: try ResourceURL("http://127.0.0.1:1/gone"), releaseName: "2024_2")
        #expect(try await store().ensureImage(elsewhere, expectedHash: hash) == image)
        #expect(server.requests.count == 1)
        try expectNothingLeft()
        let listed = try #require(try await store().images(users: [hash: [try VMName("b"), try VMName("a")]]).first)
        #expect(listed.isComplete && listed.virtualSize == 8 << 20 && listed.size > 0)
        #expect(listed.releaseNames == ["2024_1", "2024_2"])
        #expect(listed.users.map(\.description) == ["a", "b"])
        #expect(listed.sources == ["http://127.0.0.1:\(server.port)/a.qcow2"])
        #expect(try !Files.readText("\(root.path)/store/\(hash).json").contains("hidden"))
    }

    @Test func aWrongDigestIsRefusedWithBoth() async throws {
        let path = try await images.qcow2("a.qcow2")
        let server = try LoopbackServer(serving: try Files.read(path))
        let other = try SHA256Hasher.digest([1])
        let error = await expectError(.refused, containing: other.description) {
            try await store().ensureImage(ImageSource(url: try server.url("/a")), expectedHash: other)
        }
        #expect(error?.description.contains(try digest(path).description) == true)
        try expectEmpty()
    }

    @Test func aShorterLengthThanTrueIsAWrongDigest() async throws {
        let path = try await images.qcow2("a.qcow2")
        let content = try Files.read(path)
        let server = try LoopbackServer { _, client in
            client.head("200 OK", length: content.count - 1000)
            client.send(content)
        }
        await expectError(.refused, containing: "is expected") {
            try await store().ensureImage(ImageSource(url: try server.url("/a")), expectedHash: try digest(path))
        }
        try expectEmpty()
    }

    @Test func aServerWithoutTheImageLeavesNothing() async throws {
        let server = try LoopbackServer { _, client in client.reply("404 Not Found") }
        let hash = try SHA256Hasher.digest([1])
        await expectError(.notFound) {
            try await store().ensureImage(ImageSource(url: try server.url("/a")), expectedHash: hash)
        }
        await expectError(.notFound) { try await store().ensureImage(ImageSource(url: try server.url("/a"))) }
        try expectEmpty()
    }

    @Test(arguments: ["xz", "zstd", "gzip"])
    func packedImagesAreUnpackedAndKeepTheirPinnedName(program: String) async throws {
        let path = try await images.qcow2("a.qcow2")
        let plain = try Files.read(path)
        try await images.run(program, ["-f", "-k", path])
        let packed = try #require(try Files.names(in: images.folder).first { $0.hasPrefix("a.qcow2.") })
        let packedHash = try digest("\(images.folder)/\(packed)")
        let image = try await store().ensureImage(try fileURL("\(images.folder)/\(packed)"), expectedHash: packedHash)
        #expect(image.sha256 == packedHash)
        #expect(try Files.read(image.path) == plain)
        let record = try Files.readText("\(root.path)/store/\(packedHash).json")
        #expect(record.contains("\"stored_sha256\" : \"\(try digest(path))\""))
        try expectNothingLeft()
    }

    @Test(arguments: ["disk.img", "disk.raw", "disk.img.xz"])
    func rawDisksBecomeQCOW2(name: String) async throws {
        var generator = SeededGenerator(seed: 3)
        let content = generator.bytes(100_000) + [UInt8](repeating: 0, count: 900_000)
        var path = try images.file(name.replacing(".xz", with: ""), content)
        if name.hasSuffix(".xz") {
            try await images.run("xz", ["-f", path])
            path += ".xz"
        }
        let image = try await store().ensureImage(try fileURL(path), expectedHash: try digest(path))
        let back = "\(root.path)/back"
        try await images.run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", image.path, back])
        #expect(Array(try Files.read(back).prefix(content.count)) == content)
        let info = try await Processes.require(Command("qemu-img", ["info", "-f", "qcow2", image.path]))
        #expect(info.text.contains("compat: 1.1"))
        try expectNothingLeft()
    }

    @Test func theNameAtTheEndOfTheRedirectsSaysThatADiskIsRaw() async throws {
        let content = [8] + [UInt8](repeating: 7, count: (1 << 20) - 1)
        let server = try LoopbackServer { request, client in
            if request.path == "/build/1/download/1" {
                return client.reply("302 Found", [], ["Location": "/build/1/download/1/nixos.img"])
            }
            client.reply("200 OK", request.path == "/other" ? content.reversed() : content)
        }
        let image = try await store().ensureImage(ImageSource(url: try server.url("/build/1/download/1")))
        #expect(image.virtualSize == 1 << 20)
        await expectError(.refused, containing: "does not begin with a qcow2 header") {
            try await store().ensureImage(ImageSource(url: try server.url("/other")))
        }
    }

    // MARK: What is kept of an image

    @Test func anyNumberOfNamesAndSourcesLeavesARecordThatCanBeRead() async throws {
        let path = try await images.qcow2("a.qcow2")
        let hash = try digest(path)
        for number in 1...70 {
            var source = try fileURL(path)
            source.releaseName = "r\(number)"
            _ = try await store().ensureImage(source, expectedHash: hash)
        }
        var source = try fileURL(path)
        source.releaseName = String(repeating: "x", count: 5000)
        _ = try await store().ensureImage(source, expectedHash: hash)
        let listed = try #require(try await store().images().first)
        #expect(listed.releaseNames.count == 64 && listed.releaseNames.last == "r70")
    }

    /// What a server answers is kept only as far as it is short: a record that grew too large would be nobody's to use.
    @Test func aServerCannotFillARecord() async throws {
        let path = try await images.qcow2("a.qcow2")
        let (content, hash) = (try Files.read(path), try digest(path))
        for number in 0..<20 {
            let server = try LoopbackServer(
                serving: content,
                [
                    "ETag": "\"\(number)\(String(repeating: "e", count: 60_000))\"",
                    "Last-Modified": String(repeating: "x", count: 60_000),
                ])
            _ = try await store().ensureImage(ImageSource(url: try server.url("/a.qcow2"), releaseName: "r\(number)"))
        }
        let record = "\(root.path)/store/\(hash).json"
        #expect(try Files.size(record) < 16_000)
        // One that an older version let grow as far as it could be written.
        var json = try #require(try JSONSerialization.jsonObject(with: Data(try Files.read(record))) as? [String: Any])
        var sources = try #require(json["sources"] as? [[String: Any]])
        for index in sources.indices {
            sources[index]["validators"] = ["etag": String(repeating: "e", count: 65_000)]
        }
        json["sources"] = sources
        try Files.write(record, Array(try JSONSerialization.data(withJSONObject: json)), mode: 0o600)
        #expect(try Files.size(record) > 1_000_000)
        let image = try await store().ensureImage(
            ImageSource(url: try ResourceURL("http://127.0.0.1:1/gone"), releaseName: "next"), expectedHash: hash)
        #expect(image.sha256 == hash)
        #expect(try Files.size(record) < 16_000)
        #expect(try await store().images().first?.releaseNames.contains("next") == true)
    }

    /// Each look of QEMU at such an image costs the memory of the host, and each new disk over it is another look.
    @Test func noNewDiskIsMadeOverAnImageThatWouldNotBeTakenToday() async throws {
        let path = try await images.qcow2("a.qcow2")
        let image = try await store().ensureImage(try fileURL(path))
        chmod(image.path, 0o644)
        try images.patch(image.path, at: 60, number: UInt32(1000))
        chmod(image.path, 0o444)
        let error = await expectError(.refused, containing: "1000 snapshots") {
            try await store().ensureImage(try fileURL(path), expectedHash: image.sha256)
        }
        #expect(error?.description.contains("fc-devhost doctor") == true)
        // Its virtual size was fine when it was taken, and stays so.
        chmod(image.path, 0o644)
        try images.patch(image.path, at: 60, number: UInt32(0))
        _ = try await store { $0.virtualSize = 1 << 20 }.ensureImage(try fileURL(path), expectedHash: image.sha256)
    }

    @Test func anImageRecordThatIsTooLargeIsAMissingOne() async throws {
        let path = try await images.qcow2("a.qcow2")
        let hash = try digest(path)
        let image = try await store().ensureImage(try fileURL(path), expectedHash: hash)
        let record = "\(root.path)/store/\(hash).json"
        try Files.write(record, [UInt8](repeating: 0x20, count: 2 << 20), mode: 0o600)
        #expect(try await store().images().first?.isComplete == false)
        #expect(try await store().ensureImage(try fileURL(path), expectedHash: hash) == image)
        #expect(try await store().images().first?.isComplete == true)
    }

    // MARK: Several at once

    @Test func twoThatNeedTheSameImageDownloadItOnceAndTheSecondSaysWhomItWaitsFor() async throws {
        let path = try await images.qcow2("a.qcow2")
        let content = try Files.read(path)
        let hash = try digest(path)
        let (waiting, isWaiting) = AsyncStream<Void>.makeStream()
        let (asked, wasAsked) = AsyncStream<Void>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        let server = try LoopbackServer { _, client in
            wasAsked.yield()
            gate.wait()
            client.reply("200 OK", content)
        }
        let source = ImageSource(url: try server.url("/a"))
        let first = store(holder: "'ensure one' of alice")
        let second = store(holder: "'ensure two' of bob")
        let one = Task { try await first.ensureImage(source, expectedHash: hash) }
        for await _ in asked { break }
        let said = EventLog()
        let two = Task {
            try await second.ensureImage(source, expectedHash: hash) { event in
                said.handler(event)
                if case .notice = event { isWaiting.yield() }
            }
        }
        for await _ in waiting { break }
        gate.signal()
        #expect(try await one.value == two.value)
        #expect(server.requests.count == 1)
        #expect(
            said.texts.contains { $0.contains("waiting for the download of") && $0.contains("'ensure one' of alice") })
        try expectNothingLeft()
    }

    @Test func manyAtOnceAllGetTheirImage() async throws {
        let path = try await images.qcow2("a.qcow2")
        let server = try LoopbackServer(serving: try Files.read(path), ["ETag": "\"1\""])
        let source = ImageSource(url: try server.url("/a"))
        let hash = try digest(path)
        try await withThrowingTaskGroup(of: BaseImage.self) { group in
            for number in 0..<10 {
                let store = store(holder: "\(number)")
                group.addTask { try await store.ensureImage(source, expectedHash: number % 2 == 0 ? hash : nil) }
            }
            for try await image in group { #expect(image.sha256 == hash) }
        }
        try expectNothingLeft()
    }

    // MARK: Without a pin

    @Test func anUnpinnedImageIsAskedForAndDownloadedAgainOnlyIfItChanged() async throws {
        let first = try Files.read(try await images.qcow2("a.qcow2"))
        let second = try Files.read(try await images.qcow2("b.qcow2", filledWith: 9))
        let current = Mutex((tag: "\"1\"", content: first))
        let server = try LoopbackServer { request, client in
            let (tag, content) = current.withLock { $0 }
            if request.headers["if-none-match"] == tag { return client.head("304 Not Modified", length: nil) }
            client.reply("200 OK", content, ["ETag": tag])
        }
        let source = ImageSource(url: try server.url("/a?token=hidden"))
        let one = try await store().ensureImage(source)
        #expect(try await store().ensureImage(source) == one)
        #expect(server.requests.last?.headers["if-none-match"] == "\"1\"")
        current.withLock { $0 = ("\"2\"", second) }
        clock.advance(days: 1)
        let two = try await store().ensureImage(source)
        #expect(two.sha256 == (try SHA256Hasher.digest(second)))
        #expect(try Files.read(one.path) == first)
        // What was there before comes back: it is still in the store, and it is the current one from then on.
        current.withLock { $0 = ("\"3\"", first) }
        clock.advance(days: 1)
        #expect(try await store().ensureImage(source) == one)
        #expect(try await store().ensureImage(source) == one)
        #expect(server.requests.last?.headers["if-none-match"] == "\"3\"")
        #expect(try await store().images().count == 2)
    }

    @Test func anUnpinnedImageOutlivesItsServerAndSaysSo() async throws {
        let content = try Files.read(try await images.qcow2("a.qcow2"))
        let isDown = Mutex(false)
        let server = try LoopbackServer { _, client in
            isDown.withLock { $0 } ? client.reply("503 Down") : client.reply("200 OK", content)
        }
        let source = ImageSource(url: try server.url("/a"))
        let image = try await store().ensureImage(source)
        isDown.withLock { $0 = true }
        #expect(try await store().ensureImage(source, progress: log.handler) == image)
        #expect(log.texts.contains { $0.contains("503") && $0.contains("is used") })
        let other = ImageSource(url: try server.url("/b"))
        await expectError(.unavailable) { try await store().ensureImage(other) }
    }

    @Test func aChangedFileIsAnotherImage() async throws {
        let path = try await images.qcow2("a.qcow2")
        let one = try await store().ensureImage(try fileURL(path))
        #expect(try await store().ensureImage(try fileURL(path)) == one)
        try await images.qcow2("a.qcow2", filledWith: 3)
        let two = try await store().ensureImage(try fileURL(path))
        #expect(one.sha256 != two.sha256)
        #expect(two.sha256 == (try digest(path)))
    }

    // MARK: After crashes

    /// Fails the effect of one number, as if the process had ended there.
    private final class FailingAt: EffectObserver {
        struct Crash: Error {}
        private let countdown: Mutex<Int>
        let seen = Mutex([Effect]())
        init(_ number: Int) { countdown = Mutex(number) }
        func willPerform(_ effect: Effect) throws {
            seen.withLock { $0.append(effect) }
            try countdown.withLock { count in
                count -= 1
                if count == 0 { throw Crash() }
            }
        }
    }

    @Test func whateverStepFailsTheNextCallSucceedsAndNothingBadIsUsed() async throws {
        let path = try await images.qcow2("a.qcow2")
        let content = try Files.read(path)
        let hash = try digest(path)
        let server = try LoopbackServer(serving: content)
        let source = ImageSource(url: try server.url("/a"))
        var number = 1
        while true {
            let observer = FailingAt(number)
            do {
                try await Effects.$observer.withValue(observer) {
                    _ = try await store().ensureImage(source, expectedHash: hash)
                }
                #expect(number > 4)
                break
            } catch is FailingAt.Crash {
                #expect(try await store().images().allSatisfy { !$0.isComplete })
            }
            let image = try await store().ensureImage(source, expectedHash: hash)
            #expect(try Files.read(image.path) == content)
            try expectNothingLeft()
            unlink(image.path)
            unlink("\(root.path)/store/\(hash).json")
            number += 1
        }
    }

    @Test func aFileWithoutARecordIsReplacedAndAWholeOneIsKept() async throws {
        let path = try await images.qcow2("a.qcow2")
        let hash = try digest(path)
        let stored = "\(root.path)/store/\(hash).qcow2"
        try images.run(half: path, into: stored)
        #expect(try await store().images().map(\.isComplete) == [false])
        let image = try await store().ensureImage(try fileURL(path), expectedHash: hash)
        #expect(try digest(image.path) == hash)
        var before = stat()
        var after = stat()
        stat(stored, &before)
        try Files.writeAtomically("\(root.path)/store/\(hash).json", Array("{".utf8), mode: 0o600)
        _ = try await store().ensureImage(try fileURL(path), expectedHash: hash)
        stat(stored, &after)
        #expect(before.st_ino == after.st_ino)
        #expect(try await store().images().map(\.isComplete) == [true])
    }
}

extension TestImages {
    /// The first half of a file, as a crash in the middle of writing leaves it.
    func run(half path: String, into target: String) throws {
        let content = try Files.read(path)
        try Files.writeAtomically(target, Array(content.prefix(content.count / 2)), mode: 0o444)
    }
}
