import DevhostBase
import DevhostCore
import Foundation
import Synchronization
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

    // MARK: What one user may have there

    private func store(
        of user: String, _ bound: UInt64?, using used: Set<SHA256Digest> = [],
        gone: @escaping @Sendable (Set<SHA256Digest>) -> Void = { _ in }
    ) -> ImageStore {
        var store = store()
        store.fetcher = ImageFetcher(user: user, bound: bound, inUse: { used }, haveGone: { gone($0) })
        return store
    }

    @Test func whatOneUserFetchedAndNoVMUsesHasABound() async throws {
        var digests: [SHA256Digest] = []
        let size = try Files.size(try await images.qcow2("0", filledWith: 9))
        let bound = size * 3 + size / 2
        let used = try digest("\(images.folder)/0")
        let gone = Mutex<Set<SHA256Digest>>([])
        for number in 0...5 {
            let path =
                number == 0 ? "\(images.folder)/0" : try await images.qcow2("\(number)", filledWith: UInt8(number))
            let alice = store(of: "alice", bound, using: [used]) { digests in gone.withLock { $0.formUnion(digests) } }
            digests.append(try await alice.ensureImage(try fileURL(path)).sha256)
            clock.advance(days: 1)
        }
        // The first one has a VM, and the oldest two of the others went.
        var listed = try await store().images()
        #expect(Set(listed.map(\.sha256)) == Set([digests[0]] + digests[3...]))
        #expect(listed.allSatisfy { $0.fetchedBy == "alice" })
        #expect(gone.withLock { $0 } == [digests[1], digests[2]])
        // Another user's are not counted, and do not go; root's have no bound.
        for (number, user, bound) in [(6, "bob", bound), (7, "root", nil)] as [(Int, String, UInt64?)] {
            let path = try await images.qcow2("\(number)", filledWith: UInt8(number))
            _ = try await store(of: user, bound).ensureImage(try fileURL(path))
        }
        listed = try await store().images()
        #expect(listed.count == 6 && Set(listed.compactMap(\.fetchedBy)) == ["alice", "bob", "root"])
        try expectNothingLeft()
    }

    @Test func smallImagesHaveANumber() async throws {
        var alice = store(of: "alice", 1 << 40)
        alice.fetcher?.mostUnused = 2
        var digests: [SHA256Digest] = []
        for number in 1...4 {
            let path = try await images.qcow2("\(number)", filledWith: UInt8(number))
            digests.append(try await alice.ensureImage(try fileURL(path)).sha256)
            clock.advance(days: 1)
        }
        #expect(Set(try await store().images().map(\.sha256)) == Set(digests[2...]))
    }

    @Test func anImageThatIsLargerThanTheBoundIsRefused() async throws {
        let path = try await images.qcow2("a")
        let (content, size) = (try Files.read(path), try Files.size(path))
        let server = try LoopbackServer(serving: content)
        let silent = try LoopbackServer { _, client in
            client.head("200 OK", length: nil)
            client.send(content)
        }
        for source in [
            try fileURL(path), ImageSource(url: try server.url("/a")), ImageSource(url: try silent.url("/a")),
        ] {
            await expectError(.refused) { try await store(of: "alice", size - 1).ensureImage(source) }
            try expectEmpty()
        }
        try await images.run("xz", ["-k", path])
        await expectError(.refused, containing: "[images] user-unused allows alice") {
            try await store(of: "alice", size - 1).ensureImage(try fileURL("\(path).xz"))
        }
        try expectEmpty()
    }

    @Test func noRoomIsMadeOfWhatADiskIsBeingMadeOver() async throws {
        let paths = [try await images.qcow2("a", filledWith: 1), try await images.qcow2("b", filledWith: 2)]
        let alice = store(of: "alice", try Files.size(paths[0]) * 3 / 2)
        let second = try fileURL(paths[1])
        _ = try await alice.withImage(try fileURL(paths[0])) { _ in
            await expectError(.refused, containing: "VMs are being made of") {
                try await alice.ensureImage(second)
            }
        }
        _ = try await alice.ensureImage(second)
        #expect(try await store().images().map(\.sha256) == [try digest(paths[1])])
    }

    @Test func oneUserFetchesFourImagesAtATime() async throws {
        let content = try Files.read(try await images.qcow2("a"))
        let (asked, wasAsked) = AsyncStream<Void>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        let server = try LoopbackServer { _, client in
            wasAsked.yield()
            gate.wait()
            client.reply("200 OK", content)
        }
        let alice = store(of: "alice", 1 << 40)
        let urls = try (0..<5).map { ImageSource(url: try server.url("/\($0)")) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for url in urls[..<4] { group.addTask { _ = try await alice.ensureImage(url) } }
            var requests = asked.makeAsyncIterator()
            for _ in 0..<4 { await requests.next() }
            // The fifth says that it waits before any of the four can go on; another user's does not wait for them.
            let (waiting, waits) = AsyncStream<String>.makeStream()
            group.addTask {
                _ = try await alice.ensureImage(urls[4]) { event in
                    if case .notice(let text) = event { waits.yield(text) }
                }
            }
            let notice = await waiting.first { $0.hasPrefix("waiting for the download of") }
            #expect(notice != nil && server.requests.count == 4)
            let bob = store(of: "bob", 1 << 40)
            let other = ImageSource(url: try server.url("/other"))
            group.addTask { _ = try await bob.ensureImage(other) }
            await requests.next()
            #expect(server.requests.last?.path == "/other")
            for _ in 0..<6 { gate.signal() }
            try await group.waitForAll()
        }
        #expect(server.requests.count == 6)
    }
}
