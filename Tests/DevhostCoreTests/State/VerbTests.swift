import Testing

@testable import DevhostBase
@testable import DevhostCore

/// The table of who may do what: every verb keeps to it, and leaves its two lines, also when it is refused.
@Suite struct VerbTests {
    private let name: VMName

    init() throws { name = try VMName("demo") }

    /// Does what the verb says; a verb without a line here does not compile.
    private func perform(_ verb: Verb, _ devhost: Devhost, _ test: TestDevhost) async throws {
        let label = try SnapshotReference("demo@before")
        switch verb {
        case .ensure: try await devhost.ensure(EnsureRequest(name: name))
        case .start: try await devhost.start(name)
        case .shutdown: try await devhost.shutDown(name)
        case .suspend: try await devhost.suspend(name)
        case .restart: try await devhost.restart(name)
        case .login: _ = try await devhost.login(name)
        case .snapshot: try await devhost.snapshot(name, label: label.label)
        case .clone: try await devhost.clone(name, as: VMName("copy"))
        case .pin: try await devhost.pin(name, .forever)
        case .undelete: try await devhost.restoreFromTrash(name)
        case .destroy: try await devhost.destroy(name)
        case .trash: try await devhost.moveToTrash(name)
        case .rebuild: try await devhost.rebuild(name)
        case .restore: try await devhost.restore(label, isForced: true)
        case .removeSnapshot: try await devhost.removeSnapshot(label)
        case .unpin: try await devhost.unpin(name)
        case .publish: _ = try await devhost.publish()
        case .collect: _ = try await devhost.collectSigns()
        case .cleanUp: _ = try await devhost.cleanUp()
        case .mend: _ = try await devhost.diagnose(mending: true)
        case .pruneImages: _ = try await devhost.pruneImages()
        case .buildTemplate:
            try await devhost.buildTemplate(
                of: .release(.image(test.image, channel: nil)), shape: try MachineShape("1x512"))
        case .removeTemplate: try await devhost.removeTemplate(TemplateName("0123456789abcdef"))
        case .publishRelease:
            try await devhost.publish(image: test.image.path, as: ReleaseName("one"), in: ChannelName("dev"))
        case .removeRelease: _ = try await devhost.remove(releases: [ReleaseName("one")], from: ChannelName("dev"))
        case .removeChannel: _ = try await devhost.remove(channel: ChannelName("dev"))
        }
    }

    @Test(arguments: Verb.allCases)
    func everyVerbKeepsToTheTableAndLeavesTwoLines(_ verb: Verb) async throws {
        let test = try TestDevhost(more: "[access]\ndestroy = owner")
        let alice = test.devhost()
        try await alice.ensure(try test.request("demo"))
        // For what takes a pin back.
        if verb == .unpin { try await alice.pin(name, .forever) }
        let bob = test.devhost(caller: Caller(userID: 1001, name: "bob", isElevated: true))
        let before = try alice.auditLog.entries().count
        var code: DevhostError.Code?
        do {
            try await perform(verb, bob, test)
        } catch let error as DevhostError {
            code = error.code
        }
        if verb.right == .owner {
            #expect(code == .permissionDenied)
        } else {
            // The mock has no guest to log in to, and knows no snapshots of memory.
            #expect(code != .permissionDenied || verb == .login)
        }
        let lines = try alice.auditLog.entries().dropFirst(before)
        let own = lines.filter { $0.verb == verb.rawValue }
        #expect(own.map(\.event) == [.begin, .end] && own.allSatisfy { $0.user == "bob" }, "\(lines)")
        #expect(own.last?.result == (code?.description ?? "ok"))
        #expect(try alice.records.find(name)?.owner == "alice")
    }

    @Test func thePinOfAnotherIsNeitherTakenBackNorShortened() async throws {
        let test = try TestDevhost(more: "[access]\ndestroy = owner")
        let alice = test.devhost()
        try await alice.ensure(try test.request("demo"))
        let bob = test.devhost(caller: Caller(userID: 1001, name: "bob", isElevated: true))
        let soon = Pin.until(Timestamp(alice.clock.now.addingTimeInterval(3600)))
        let later = Pin.until(Timestamp(alice.clock.now.addingTimeInterval(7200)))
        try await bob.pin(name, soon)
        try await bob.pin(name, later)
        await expectError(.permissionDenied, containing: "cannot shorten the pin of demo: it belongs to alice") {
            try await bob.pin(name, soon)
        }
        await expectError(.permissionDenied, containing: "cannot unpin demo: it belongs to alice") {
            try await bob.unpin(name)
        }
        #expect(try alice.records.require(name).pin == later)
        #expect(try await alice.unpin(name))
        #expect(try await bob.unpin(name) == false, "there is nothing to take back")
    }

    @Test func theDocumentShowsTheTable() throws {
        let root = #filePath.split(separator: "/").dropLast(4).map { "/\($0)" }.joined()
        let page = try Files.readText("\(root)/docs/sharing.md")
        #expect(page.contains(Verb.table), "put this into docs/sharing.md:\n\(Verb.table)")
    }
}
