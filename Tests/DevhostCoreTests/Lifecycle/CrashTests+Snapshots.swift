import Testing

@testable import DevhostCore

/// Crashes in snapshots and clones.
extension CrashTests {
    @Test func afterACrashAnywhereInASnapshotItCanBeRepeated() async throws {
        try await walk { devhost, _ in
            try await devhost.snapshot(VMName("demo"), label: SnapshotLabel("one"))
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
        } check: { devhost, _, step in
            try await expectHealth(devhost, step)
            let reference = SnapshotReference(try VMName("demo"), try SnapshotLabel("one"))
            if try await devhost.snapshots(reference.name).isEmpty {
                try await devhost.snapshot(reference.name, label: reference.label)
            }
            #expect(try await devhost.restore(reference, isForced: true).state == .running, "step \(step)")
        }
    }

    @Test func afterACrashAnywhereInARestoreItCanBeRepeatedAndEnsureCompletes() async throws {
        let reference = SnapshotReference(try VMName("demo"), try SnapshotLabel("one"))
        try await walk { devhost, _ in
            try await devhost.restore(reference, isForced: true)
        } prepare: { devhost, test in
            var request = try test.request("demo")
            request.memory = try MemorySize("1G")
            try await devhost.ensure(request)
            try await devhost.snapshot(reference.name, label: reference.label)
            request.memory = try MemorySize("2G")
            try await devhost.ensure(request)
        } check: { devhost, _, step in
            if step.isMultiple(of: 2) {
                let restored = try await devhost.restore(reference, isForced: true)
                #expect(restored.state == .running && restored.record.memory?.mebibytes == 1024, "step \(step)")
            } else {
                #expect(try await devhost.ensure(EnsureRequest(name: reference.name)).state == .running, "step \(step)")
            }
            try await expectHealth(devhost, step)
            // What ran is still to be had where no other restore has given it up.
            let labels = try await devhost.snapshots(reference.name).map(\.label.description)
            let isKept = !step.isMultiple(of: 2)
            #expect(labels.filter { !isKept || !$0.hasPrefix("before-restore-") } == ["one"], "step \(step)")
        }
    }

    @Test func afterACrashAnywhereInTheRemovalOfASnapshotItCanBeRepeated() async throws {
        let reference = SnapshotReference(try VMName("demo"), try SnapshotLabel("one"))
        try await walk { devhost, _ in
            try await devhost.removeSnapshot(reference)
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
            try await devhost.snapshot(reference.name, label: reference.label)
        } check: { devhost, _, step in
            try await expectHealth(devhost, step)
            try await devhost.removeSnapshot(reference)
            #expect(try await devhost.snapshots(reference.name).isEmpty, "step \(step)")
        }
    }

    @Test func afterACrashAnywhereInACloningItCanBeRepeatedAndDestroyLeavesNothing() async throws {
        let (source, name) = (try VMName("demo"), try VMName("twin"))
        try await walk { devhost, _ in
            try await devhost.clone(source, as: name)
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
        } check: { devhost, test, step in
            let before = try devhost.records.require(source)
            #expect(try await devhost.describe(source).state == .running, "step \(step)")
            if let record = try devhost.records.find(name), record.isIncomplete {
                await expectError(.conflict, containing: "is not itself yet") {
                    try await devhost.ensure(EnsureRequest(name: name))
                }
            }
            if step.isMultiple(of: 2), try devhost.records.find(name)?.isIncomplete ?? true {
                if try devhost.records.find(name) == nil { try await devhost.destroy(name) }
                let twin = try await devhost.clone(source, as: name)
                #expect(twin.state == .running && twin.record.mac != before.mac, "step \(step)")
                try await expectHealth(devhost, step)
            }
            try await devhost.destroy(name)
            #expect(try await test.leftovers(of: "twin", devhost).isEmpty, "step \(step)")
            #expect(try devhost.records.require(source) == before, "step \(step)")
            try await expectHealth(devhost, step)
        }
    }
}
