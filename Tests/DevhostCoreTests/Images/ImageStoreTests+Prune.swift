import DevhostBase
import DevhostCore
import Foundation
import Testing

/// What leaves the store, and what must not.
extension ImageStoreTests {
    private func fill(_ names: [String]) async throws -> [SHA256Digest] {
        var digests: [SHA256Digest] = []
        for (index, name) in names.enumerated() {
            let path = try await images.qcow2(name, filledWith: UInt8(index + 1))
            digests.append(try await store().ensureImage(try fileURL(path)).sha256)
            clock.advance(days: 1)
        }
        return digests
    }

    @Test func pruningTakesWhatIsUnusedAndOldAndNothingElse() async throws {
        let digests = try await fill(["a", "b", "c"])
        clock.advance(days: 89)
        // They are 92, 91 and 90 days old.
        let report = try await store().prune(olderThanDays: 91) { [digests[0]] }
        #expect(report.removed.map(\.sha256) == [digests[1]])
        #expect(report.freed > 0 && report.failures.isEmpty)
        #expect(Set(try await store().images().map(\.sha256)) == [digests[0], digests[2]])
        #expect(try Files.names(in: "\(root.path)/store").count == 4)
    }

    @Test func aBudgetTakesTheLeastRecentlyUsedFirst() async throws {
        let digests = try await fill(["a", "b", "c", "d"])
        _ = try await store().ensureImage(try fileURL("\(images.folder)/a"))
        let sizes = try await store().images().map(\.size)
        let report = try await store().prune(olderThanDays: 1000, budget: sizes[0] * 2) { [digests[1]] }
        #expect(report.removed.map(\.sha256) == [digests[2], digests[3]])
        #expect(Set(try await store().images().map(\.sha256)) == [digests[0], digests[1]])
    }

    @Test func whatIsBeingUsedOrDownloadedIsNotPruned() async throws {
        let digests = try await fill(["a", "b"])
        let source = try fileURL("\(images.folder)/a")
        try await store().withImage(source, expectedHash: digests[0]) { _ in
            let report = try await store().prune(olderThanDays: 0) { [] }
            #expect(report.removed.map(\.sha256) == [digests[1]])
        }
        #expect(try await store().images().map(\.sha256) == [digests[0]])
        let content = try Files.read("\(images.folder)/b")
        let (asked, wasAsked) = AsyncStream<Void>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        let server = try LoopbackServer { _, client in
            client.head("200 OK", length: content.count)
            client.send(content.prefix(1000))
            wasAsked.yield()
            gate.wait()
            client.send(content.dropFirst(1000))
        }
        let remote = ImageSource(url: try server.url("/b"))
        let pruned = store()
        let download = Task { try await pruned.ensureImage(remote, expectedHash: digests[1]) }
        for await _ in asked { break }
        _ = try await pruned.prune(olderThanDays: 0) { [] }
        gate.signal()
        #expect(try await download.value.sha256 == digests[1])
    }

    @Test func leftoversOfCrashesGoAndAFailingAnswerPrunesNothing() async throws {
        let digests = try await fill(["a"])
        for name in ["\(digests[0]).download", "url-x.converted", "url-x.unpacked"] {
            try Files.writeAtomically("\(root.path)/work/\(name)", [1], mode: 0o600)
        }
        struct Unknown: Error {}
        await #expect(throws: Unknown.self) { try await store().prune(olderThanDays: 0) { throw Unknown() } }
        #expect(try await store().images().count == 1)
        #expect(try await store().prune { [] }.removed.isEmpty)
        try expectNothingLeft()
    }
}
