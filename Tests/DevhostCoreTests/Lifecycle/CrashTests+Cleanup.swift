import Testing

@testable import DevhostCore

/// Crashes in what takes away what nobody uses, and in having it back.
extension CrashTests {
    @Test func afterACrashAnywhereInACleanupItCanBeRepeatedAndNoVMLosesItsImage() async throws {
        try await walk { devhost, _ in
            _ = try await devhost.pruneImages(olderThanDays: 0)
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
            var other = try test.request("other")
            other.release = .image(test.otherImage, channel: nil)
            try await devhost.ensure(other)
            try await devhost.destroy(other.name)
        } check: { devhost, test, step in
            _ = try await devhost.pruneImages(olderThanDays: 0)
            let hash = try devhost.records.require(VMName("demo")).imageHash
            #expect(try await devhost.images().map(\.sha256) == [hash], "step \(step)")
            try await expectHealth(devhost, step)
            #expect(try await devhost.rebuild(VMName("demo")).state == .running, "step \(step)")
        }
    }

    @Test func afterACrashAnywhereInAMoveToTheTrashItCanBeRepeatedOrUndone() async throws {
        try await walk { devhost, _ in
            try await devhost.moveToTrash(VMName("demo"))
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
            try await devhost.ensure(try test.request("other"))
        } check: { devhost, test, step in
            let name = try VMName("demo")
            let before = try #require(try devhost.records.find(name))
            switch step % 3 {
            case 0:
                try await devhost.moveToTrash(name)
                try await expectHealth(devhost, step)
                #expect(try await devhost.restoreFromTrash(name), "step \(step)")
            case 1 where before.trashed != nil:
                let mended = try await devhost.diagnose(mending: true).findings
                #expect(mended.allSatisfy { $0.mending == .done || $0.severity == .note }, "step \(step): \(mended)")
                try await devhost.restoreFromTrash(name)
            default: try await devhost.restoreFromTrash(name)
            }
            try await expectHealth(devhost, step)
            let after = try await devhost.ensure(EnsureRequest(name: name))
            #expect(after.state == .running && after.record.ipv4 == before.ipv4, "step \(step)")
            #expect(try await devhost.describe(VMName("other")).state == .running, "step \(step)")
            try await expectHealth(devhost, step)
            try await devhost.destroy(name)
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
        }
    }

    @Test func afterACrashAnywhereInAnUndeleteItCanBeRepeated() async throws {
        try await walk { devhost, _ in
            try await devhost.restoreFromTrash(VMName("demo"))
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
            try await devhost.moveToTrash(VMName("demo"))
        } check: { devhost, test, step in
            let name = try VMName("demo")
            let isTrashed = try devhost.records.find(name)?.trashed != nil
            if step.isMultiple(of: 2) || isTrashed {
                try await devhost.restoreFromTrash(name)
            } else {
                try await devhost.start(name)
            }
            try await expectHealth(devhost, step)
            #expect(try await devhost.start(name).state == .running, "step \(step)")
            #expect(try test.hosts().contains(" demo\n"), "step \(step)")
            try await expectHealth(devhost, step)
        }
    }

    @Test func afterACrashAnywhereInACleanupOfVMsTheNextOneCompletesIt() async throws {
        for step in 0..<Self.bound {
            let world = try CleanupWorld("notice-days = 0")
            var names: [VMName] = []
            for text in ["off", "old", "used"] { names.append(try await world.ensure(text)) }
            let trashed = try await world.ensure("gone")
            try await world.devhost.moveToTrash(trashed)
            _ = try await world.devhost.collectSigns()
            // What the looks of a month would have seen.
            for (name, days) in zip(names + [trashed], [13.5, 30.5, 0, 6.5]) {
                var use = world.devhost.useStore.read(name).use
                use.idle = days * 86400
                use.trashed = use.idle
                try world.devhost.useStore.write(use, of: name)
            }
            world.clock.advance(hours: 12)
            let observer = StepObserver(stopAt: step)
            _ = try? await Effects.$observer.withValue(observer) { try await world.devhost.cleanUp() }
            let report = try #require(try await world.devhost.cleanUp())
            #expect(report.failures.isEmpty, "step \(step)")
            try await expectHealth(world.devhost, step)
            #expect(try world.devhost.records.find(names[1])?.trashed != nil, "step \(step)")
            #expect(try world.devhost.records.find(trashed) == nil, "step \(step)")
            #expect(try await world.devhost.describe(names[2]).state == .running, "step \(step)")
            #expect(try await world.devhost.restoreFromTrash(names[1]), "step \(step)")
            #expect(try await world.devhost.start(names[1]).state == .running, "step \(step)")
            if !observer.hasStopped {
                #expect(step > 10, "the walk saw next to nothing")
                return
            }
        }
        Issue.record("the clean-up did not run through within \(Self.bound) effects")
    }
}
