import DevhostBase
import DevhostCore
import Foundation
import Glibc
import Synchronization
import Testing

/// Downloads from a real server on the loopback that behaves well and badly.
@Suite struct HTTPTransferTests {
    private let folder: TestFolder
    private let file: FileDescriptor
    private let path: String
    private let log = EventLog()
    private static let body: [UInt8] = {
        var generator = SeededGenerator(seed: 1)
        return generator.bytes(700_000)
    }()
    private var body: [UInt8] { Self.body }
    private var transfer: HTTPTransfer

    init() throws {
        folder = try TestFolder("http")
        path = "\(folder.path)/file"
        file = try FileDescriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
        transfer = HTTPTransfer()
        transfer.limits.pause = .zero
        transfer.limits.attempts = 3
        transfer.limits.connectSeconds = 5
        transfer.limits.stallSeconds = 1
        transfer.limits.stallRate = 1
    }

    private func download(
        _ url: ResourceURL, maximum: UInt64 = 1 << 30, isPinned: Bool = false, known: HTTPValidators = HTTPValidators()
    ) async throws -> HTTPTransfer.Download? {
        var request = HTTPTransfer.Request(url: url, file: file, path: path, maximum: maximum)
        request.isPinned = isPinned
        request.known = known
        return try await transfer.download(request, progress: log.handler)
    }

    private func expectWhole(_ download: HTTPTransfer.Download?, _ expected: [UInt8]) throws {
        let download = try #require(download)
        #expect(download.sha256 == (try SHA256Hasher.digest(expected)))
        #expect(download.size == UInt64(expected.count))
        #expect(try Files.read(path) == expected)
    }

    @Test func aFileArrivesWithItsDigestAndProgress() async throws {
        let server = try LoopbackServer(
            serving: body, ["ETag": "\"one\"", "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"])
        let download = try await download(try server.url("/image.qcow2?key=1"))
        try expectWhole(download, body)
        #expect(download?.paths == ["/image.qcow2"])
        #expect(download?.validators == HTTPValidators(etag: "\"one\"", lastModified: "Mon, 01 Jan 2024 00:00:00 GMT"))
        guard case .transfer(_, let done, let total, _)? = log.all.last else {
            Issue.record("no progress at the end: \(log.all)")
            return
        }
        #expect(done == UInt64(body.count) && total == UInt64(body.count))
    }

    @Test func aFileWithoutAByteArrives() async throws {
        let server = try LoopbackServer(serving: [])
        try expectWhole(try await download(try server.url("/empty")), [])
    }

    @Test func aFileOfUnstatedSizeArrives() async throws {
        let body = body
        let server = try LoopbackServer { _, client in
            client.head("200 OK", length: nil)
            client.send(body)
        }
        try expectWhole(try await download(try server.url("/")), body)
    }

    @Test(arguments: [
        ("404 Not Found", DevhostError.Code.notFound), ("403 Forbidden", .permissionDenied), ("500 Oops", .unavailable),
    ])
    func aRefusalIsFinal(status: String, code: DevhostError.Code) async throws {
        let server = try LoopbackServer { _, client in client.reply(status, Array("no".utf8)) }
        await expectError(code, containing: String(status.prefix(3))) { try await download(try server.url("/x")) }
        #expect(server.requests.count == 1)
    }

    @Test func aServerThatIsBusyIsAskedAgain() async throws {
        let body = body
        let count = Mutex(0)
        let server = try LoopbackServer { request, client in
            let number = count.withLock { count -> Int in
                count += 1
                return count
            }
            if number < 3 { client.reply("503 Busy") } else { client.reply("200 OK", body) }
        }
        try expectWhole(try await download(try server.url("/x")), body)
        #expect(server.requests.count == 3)
    }

    @Test func aSlowServerIsWaitedFor() async throws {
        let body = body
        let server = try LoopbackServer { _, client in
            client.head("200 OK", length: body.count)
            for start in stride(from: 0, to: body.count, by: 70_000) {
                client.send(body[start..<min(start + 70_000, body.count)])
                usleep(5_000)
            }
        }
        try expectWhole(try await download(try server.url("/x")), body)
        #expect(server.requests.count == 1)
    }

    @Test func aServerThatFallsSilentIsGivenUp() async throws {
        let body = body
        var transfer = transfer
        transfer.limits.attempts = 1
        let server = try LoopbackServer { _, client in
            client.head("200 OK", length: body.count)
            client.send(body.prefix(1000))
            client.waitUntilItLeaves()
        }
        let request = HTTPTransfer.Request(url: try server.url("/x"), file: file, path: path, maximum: 1 << 30)
        await expectError(.timedOut, containing: "sends nothing") {
            try await transfer.download(request, progress: log.handler)
        }
    }

    @Test func aBrokenConnectionIsResumedAndSaysSo() async throws {
        let body = body
        let server = try LoopbackServer { request, client in
            guard request.rangeStart == nil else { return client.reply(request, partOf: body, ["ETag": "\"e\""]) }
            client.head("200 OK", length: body.count, ["ETag": "\"e\""])
            client.send(body.prefix(300_000))
        }
        try expectWhole(try await download(try server.url("/x")), body)
        let requests = server.requests
        #expect(requests.count == 2)
        #expect(requests.last?.headers["if-range"] == "\"e\"")
        #expect(requests.last?.rangeStart == 300_000)
        #expect(log.texts.contains { $0.contains("goes on after 300000 bytes, attempt 2 of 3") }, "\(log.texts)")
    }

    @Test func withoutAnythingToTellFilesApartOnlyAPinnedOneIsResumed() async throws {
        let body = body
        let server = try LoopbackServer { request, client in
            if request.rangeStart != nil { return client.reply(request, partOf: body) }
            client.head("200 OK", length: body.count)
            client.send(body.prefix(300_000))
        }
        try expectWhole(try await download(try server.url("/x"), isPinned: true), body)
        #expect(server.requests.count == 2)
        await expectError(.unavailable, containing: "3 attempts") { try await download(try server.url("/x")) }
        #expect(server.requests.dropFirst(2).allSatisfy { $0.rangeStart == nil })
    }

    @Test func aServerThatIgnoresRangesMakesItStartAnew() async throws {
        let body = body
        let count = Mutex(0)
        let server = try LoopbackServer { _, client in
            let isFirst = count.withLock { count -> Bool in
                count += 1
                return count == 1
            }
            client.head("200 OK", length: body.count, ["ETag": "\"e\""])
            client.send(isFirst ? body.prefix(300_000) : body[...])
        }
        try expectWhole(try await download(try server.url("/x")), body)
        #expect(log.texts.contains { $0.contains("starts anew") }, "\(log.texts)")
    }

    @Test func aPartThatDoesNotFitMakesItStartAnew() async throws {
        let body = body
        let server = try LoopbackServer { request, client in
            let requests = request.rangeStart
            if requests != nil {
                return client.reply(
                    "206 Partial Content", Array(body[5...]),
                    ["Content-Range": "bytes 5-\(body.count - 1)/\(body.count)", "ETag": "\"e\""])
            }
            client.head("200 OK", length: body.count, ["ETag": "\"e\""])
            client.send(body.prefix(300_000))
        }
        await expectError(.unavailable) { try await download(try server.url("/x"), isPinned: true) }
        #expect(server.requests.map(\.rangeStart) == [nil, 300_000, nil])
    }

    @Test func aFileThatChangesMeanwhileIsTheNewOneAlone() async throws {
        let body = body
        let changed = Array(body.reversed())
        let server = try LoopbackServer { request, client in
            if request.headers["if-range"] == "\"old\"" { return client.reply("200 OK", changed, ["ETag": "\"new\""]) }
            client.head("200 OK", length: body.count, ["ETag": "\"old\""])
            client.send(body.prefix(300_000))
        }
        let download = try await download(try server.url("/x"))
        try expectWhole(download, changed)
        #expect(download?.validators.etag == "\"new\"")
    }

    @Test func aServerThatPromisesMoreThanItHasIsGivenUp() async throws {
        let body = body
        let server = try LoopbackServer { request, client in
            if let start = request.rangeStart {
                client.head(
                    "206 Partial Content", length: body.count + 1000 - start,
                    ["Content-Range": "bytes \(start)-\(body.count + 999)/\(body.count + 1000)"])
                return
            }
            client.head("200 OK", length: body.count + 1000, ["ETag": "\"e\""])
            client.send(body)
        }
        await expectError(.unavailable, containing: "before all of it had arrived") {
            try await download(try server.url("/x"))
        }
        #expect(server.requests.count == 3)
    }

    @Test func aFileBeyondTheLimitIsRefusedStatedOrNot() async throws {
        let body = body
        let server = try LoopbackServer { request, client in
            client.head("200 OK", length: request.path == "/stated" ? body.count : nil)
            client.send(body)
        }
        for path in ["/stated", "/silent"] {
            await expectError(.refused, containing: "larger") {
                try await download(try server.url(path), maximum: 500_000)
            }
        }
        #expect(try Files.size(path) <= 500_000)
    }

    @Test func redirectsToAnotherHostAreFollowedWithoutThePassword() async throws {
        let target = try LoopbackServer(serving: body)
        let elsewhere = "http://localhost:\(target.port)/images/disk.img?token=1"
        let server = try LoopbackServer { _, client in client.reply("302 Found", [], ["Location": elsewhere]) }
        let download = try await download(try server.url("/1", credentials: "me:hidden@"))
        try expectWhole(download, body)
        #expect(download?.paths.count == 2)
        #expect(download?.paths.last?.hasSuffix("/images/disk.img") == true)
        #expect(server.requests.first?.headers["authorization"] != nil)
        #expect(target.requests.first?.headers["authorization"] == nil)
    }

    @Test(arguments: ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x"])
    func redirectsToOtherProtocolsAreRefused(location: String) async throws {
        let server = try LoopbackServer { _, client in client.reply("302 Found", [], ["Location": location]) }
        await expectError(.refused, containing: "redirects to something") { try await download(try server.url("/1")) }
        #expect(try Files.size(path) == 0)
    }

    @Test func redirectsInACircleAreRefused() async throws {
        let server = try LoopbackServer { _, client in client.reply("302 Found", [], ["Location": "/again"]) }
        await expectError(.refused, containing: "again and again") { try await download(try server.url("/1")) }
        #expect(server.requests.count == transfer.limits.redirects + 1)
    }

    @Test func aServerThatIsNotThereIsUnavailableAtOnce() async throws {
        let server = try LoopbackServer(serving: [])
        server.stop()
        await expectError(.unavailable, containing: "127.0.0.1") { try await download(try server.url("/x")) }
        #expect(log.texts.isEmpty)
    }

    @Test func whatHasNotChangedIsNotDownloaded() async throws {
        let body = body
        let server = try LoopbackServer { request, client in
            if request.headers["if-none-match"] == "\"e\"" || request.headers["if-modified-since"] == "yesterday" {
                return client.head("304 Not Modified", length: nil, ["ETag": "\"e\""])
            }
            client.reply("200 OK", body, ["ETag": "\"f\""])
        }
        #expect(try await download(try server.url("/x"), known: HTTPValidators(etag: "\"e\"")) == nil)
        #expect(try await download(try server.url("/x"), known: HTTPValidators(lastModified: "yesterday")) == nil)
        try expectWhole(try await download(try server.url("/x"), known: HTTPValidators(etag: "\"d\"")), body)
    }

    @Test func secretsInTheURLStandInNoProcessListAndNoMessage() async throws {
        let seen = Mutex([String]())
        let server = try LoopbackServer { _, client in
            for process in (try? Files.names(in: "/proc")) ?? [] where process.allSatisfy(\.isNumber) {
                guard let words = try? Files.readText("/proc/\(process)/cmdline"), words.contains("curl") else {
                    continue
                }
                seen.withLock { $0.append(words) }
            }
            client.reply("404 Not Found")
        }
        let error = await expectError(.notFound) {
            try await download(try server.url("/x?token=tellnobody", credentials: "me:tellnobody@"))
        }
        #expect(error?.description.contains("tellnobody") == false)
        #expect(server.requests.first?.headers["authorization"] != nil)
        let commands = seen.withLock { $0 }
        #expect(!commands.isEmpty)
        #expect(commands.allSatisfy { !$0.contains("tellnobody") })
    }

    @Test func aServerCannotAddOptionsThroughItsHeaders() async throws {
        let body = body
        let server = try LoopbackServer { request, client in
            if request.rangeStart != nil { return client.reply(request, partOf: body) }
            client.head("200 OK", length: body.count, ["ETag": "\"a\" \\\u{7f}\tnext = \"http://127.0.0.1:1/\""])
            client.send(body.prefix(300_000))
        }
        try expectWhole(try await download(try server.url("/x")), body)
        #expect(server.requests.count == 2)
        #expect(server.requests.last?.headers["if-range"] == "\"a\" \\")
    }

    @Test func anUnknownAuthorityIsSaidToBeUnknown() async throws {
        let server = try await TLSServer()
        await expectError(.unavailable, containing: "certificate is not trusted") {
            try await download(try ResourceURL("https://localhost:\(server.port)/x"))
        }
    }

    @Test func cancellingEndsTheDownload() async throws {
        let body = body
        let (started, signal) = AsyncStream<Void>.makeStream()
        let (ended, endSignal) = AsyncStream<Void>.makeStream()
        let server = try LoopbackServer { _, client in
            client.head("200 OK", length: body.count)
            client.send(body.prefix(1000))
            signal.yield()
            client.waitUntilItLeaves()
            endSignal.yield()
        }
        let url = try server.url("/x")
        var transfer = transfer
        transfer.limits.stallSeconds = 600
        let request = HTTPTransfer.Request(url: url, file: file, path: path, maximum: 1 << 30)
        let task = Task { [transfer, log] in try await transfer.download(request, progress: log.handler) }
        for await _ in started { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        for await _ in ended { break }
    }

    @Test func documentsAreSmallAndNotRepeatedInMessages() async throws {
        let server = try LoopbackServer { request, client in
            switch request.path {
            case "/good": client.reply("200 OK", Array("{}".utf8))
            case "/large": client.reply("200 OK", [UInt8](repeating: 0x41, count: 5000))
            case "/silent":
                client.head("200 OK", length: nil)
                client.send([UInt8](repeating: 0x41, count: 5000))
            default: client.reply("404 Not Found", Array("private words".utf8))
            }
        }
        #expect(try await transfer.document(try server.url("/good")) == Array("{}".utf8))
        #expect(server.requests.first?.headers["accept"] == "application/json")
        for path in ["/large", "/silent"] {
            await expectError(.refused, containing: "larger") {
                try await transfer.document(try server.url(path), maximum: 4000)
            }
        }
        let error = await expectError(.notFound) { try await transfer.document(try server.url("/missing")) }
        #expect(error?.description.contains("private words") == false)
    }
}
