import Testing

@testable import DevhostCore

/// Walks every outside effect of a verb: stops there as a crash would, and looks whether the next call completes.
@Suite struct CrashTests {
    /// More effects than any verb has.
    static let bound = 200

    /// Runs `verb` with a stop at step 0, 1, 2, … until it runs through; `check` follows every stop.
    func walk(
        _ verb: (Devhost, TestDevhost) async throws -> Void,
        prepare: (Devhost, TestDevhost) async throws -> Void = { _, _ in },
        check: (Devhost, TestDevhost, Int) async throws -> Void
    ) async throws {
        for step in 0..<Self.bound {
            let test = try TestDevhost()
            let devhost = test.devhost()
            try await prepare(devhost, test)
            let observer = StepObserver(stopAt: step)
            do {
                try await Effects.$observer.withValue(observer) { try await verb(test.devhost(), test) }
            } catch  where !observer.hasStopped {
                Issue.record("step \(step): \(error)")
            } catch {}
            try await check(devhost, test, step)
            if !observer.hasStopped {
                #expect(step > 1, "the walk saw next to nothing")
                return
            }
        }
        Issue.record("the verb did not run through within \(Self.bound) effects")
    }

    /// Expects a devhost in which `doctor` finds nothing.
    func expectHealth(_ devhost: Devhost, _ step: Int) async throws {
        let findings = try await devhost.diagnose().findings.filter { $0.severity > .note }
        #expect(findings.isEmpty, "step \(step): \(findings)")
    }

    @Test func afterACrashAnywhereInACreationEnsureCompletes() async throws {
        try await walk {
            try await $0.ensure(try $1.request("demo"))
        } check: { devhost, test, step in
            let made = try await devhost.ensure(try test.request("demo"))
            #expect(made.state == .running && !made.record.isIncomplete, "step \(step)")
            try await expectHealth(devhost, step)
            try await devhost.destroy(VMName("demo"))
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
        }
    }

    @Test func afterACrashAnywhereInAWarmStartEnsureCompletesOrDestroyLeavesNothing() async throws {
        try await walk {
            try await $0.ensure(try $1.request("demo"))
        } prepare: { devhost, test in
            let source = TemplateSource.release(.image(test.image, channel: nil))
            try await devhost.buildTemplate(of: source, shape: try MachineShape("2x2G"))
        } check: { devhost, test, step in
            if !step.isMultiple(of: 3) {
                let made = try await devhost.ensure(try test.request("demo"))
                #expect(made.state == .running && !made.record.isIncomplete, "step \(step)")
                #expect(try await test.runsOnItsDisk(made.record, devhost), "step \(step)")
                try await expectHealth(devhost, step)
            }
            try await devhost.destroy(VMName("demo"))
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
            try await expectHealth(devhost, step)
        }
    }

    @Test func afterACrashAnywhereInACreationDestroyLeavesNothing() async throws {
        try await walk {
            try await $0.ensure(try $1.request("demo"))
        } check: { devhost, test, step in
            try await devhost.destroy(VMName("demo"))
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
            try await expectHealth(devhost, step)
        }
    }

    @Test func afterACrashAnywhereInAChangeEnsureCompletesIt() async throws {
        func change(_ test: TestDevhost) throws -> EnsureRequest {
            var request = try test.request("demo")
            request.memory = try MemorySize("4G")
            request.cpus = try CPUCount(3)
            request.aliases = [try Alias("app"), try Alias("api")]
            request.release = .image(test.image, channel: try ResourceURL("https://example.com/next.tar.xz"))
            return request
        }
        try await walk { devhost, test in
            try await devhost.ensure(try change(test))
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
            try await devhost.ensure(try test.request("other"))
        } check: { devhost, test, step in
            let before = try devhost.records.require(VMName("demo"))
            let after = try await devhost.ensure(try change(test))
            #expect(after.state == .running && after.record.aliases.count == 2, "step \(step)")
            #expect(after.record.memory?.mebibytes == 4096 && after.record.cpus?.value == 3, "step \(step)")
            #expect(after.record.channelURL == "https://example.com/next.tar.xz", "step \(step)")
            #expect(after.record.ipv4 == before.ipv4 && after.record.hostKey == before.hostKey, "step \(step)")
            #expect(try await devhost.describe(VMName("other")).state == .running, "step \(step)")
            try await expectHealth(devhost, step)
        }
    }

    @Test func afterACrashAnywhereInAShutdownItCanBeRepeatedOrUndone() async throws {
        try await walk { devhost, _ in
            try await devhost.shutDown(VMName("demo"))
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
            try await devhost.ensure(try test.request("other"))
        } check: { devhost, _, step in
            if step.isMultiple(of: 2) {
                try await devhost.shutDown(VMName("demo"))
                #expect(try await devhost.describe(VMName("demo")).state == .off, "step \(step)")
            } else {
                #expect(try await devhost.start(VMName("demo")).state == .running, "step \(step)")
            }
            #expect(try await devhost.describe(VMName("other")).state == .running, "step \(step)")
            try await expectHealth(devhost, step)
        }
    }

    @Test func afterACrashAnywhereInASuspensionItCanBeRepeatedOrUndone() async throws {
        try await walk { devhost, _ in
            try await devhost.suspend(VMName("demo"))
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
        } check: { devhost, test, step in
            if step.isMultiple(of: 2) {
                try await devhost.suspend(VMName("demo"))
                #expect(try await devhost.describe(VMName("demo")).state == .suspended, "step \(step)")
            } else {
                #expect(try await devhost.start(VMName("demo")).state == .running, "step \(step)")
            }
            try await expectHealth(devhost, step)
            try await devhost.destroy(VMName("demo"))
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
        }
    }

    @Test(arguments: ["start", "shutdown", "rebuild"])
    func afterACrashAnywhereWithASuspendedVMItCanBeRepeated(verb: String) async throws {
        try await walk { devhost, _ in
            switch verb {
            case "shutdown": try await devhost.shutDown(VMName("demo"))
            case "rebuild": try await devhost.rebuild(VMName("demo"))
            default: try await devhost.start(VMName("demo"))
            }
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
            try await devhost.suspend(VMName("demo"))
        } check: { devhost, test, step in
            if verb == "shutdown", step.isMultiple(of: 2) {
                try await devhost.shutDown(VMName("demo"))
                #expect(try await devhost.describe(VMName("demo")).state == .off, "step \(step)")
            } else {
                let started = try await devhost.start(VMName("demo"))
                #expect(started.state == .running && started.record.otherDisk == nil, "step \(step)")
                #expect(try await test.runsOnItsDisk(started.record, devhost), "step \(step)")
                #expect(try await test.disks(of: "demo", devhost).count == 1, "step \(step)")
            }
            try await expectHealth(devhost, step)
        }
    }

    @Test func afterACrashAnywhereInADestroyTheVMCanBeMadeAnewOrDestroyed() async throws {
        try await walk { devhost, _ in
            try await devhost.destroy(VMName("demo"))
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
            try await devhost.ensure(try test.request("other"))
        } check: { devhost, test, step in
            let made = try await devhost.ensure(try test.request("demo"))
            #expect(made.state == .running, "step \(step)")
            try await expectHealth(devhost, step)
            try await devhost.destroy(VMName("demo"))
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
            #expect(try await devhost.describe(VMName("other")).state == .running, "step \(step)")
            try await expectHealth(devhost, step)
        }
    }

    @Test func afterACrashAnywhereInARebuildEnsureCompletesWithOneOfTheDisks() async throws {
        try await walk { devhost, test in
            try await devhost.rebuild(VMName("demo"), release: .image(test.otherImage, channel: nil))
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
        } check: { devhost, test, step in
            let before = try devhost.records.require(VMName("demo"))
            let kept = try await test.disks(of: "demo", devhost)
            #expect(kept[before.diskNumber] == before.imageHash, "step \(step): the VM's disk is there")
            let after = try await devhost.ensure(EnsureRequest(name: VMName("demo")))
            #expect(after.state == .running, "step \(step)")
            #expect(after.record.otherDisk == nil && after.record.imageHash == before.imageHash, "step \(step)")
            let disks = try await test.disks(of: "demo", devhost)
            #expect(disks == [after.record.diskNumber: after.record.imageHash], "step \(step)")
            #expect(try await test.runsOnItsDisk(after.record, devhost), "step \(step)")
            try await expectHealth(devhost, step)
            try await devhost.rebuild(VMName("demo"))
            try await devhost.destroy(VMName("demo"))
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
        }
    }

    @Test func afterACrashAnywhereInARebuildItCanBeRepeatedAndDestroyLeavesNothing() async throws {
        try await walk { devhost, _ in
            try await devhost.rebuild(VMName("demo"))
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
        } check: { devhost, test, step in
            if step.isMultiple(of: 2) {
                let rebuilt = try await devhost.rebuild(VMName("demo"))
                #expect(rebuilt.record.diskNumber > 0 && rebuilt.state == .running, "step \(step)")
                #expect(try await test.disks(of: "demo", devhost).count == 1, "step \(step)")
            }
            try await devhost.destroy(VMName("demo"))
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
        }
    }

    @Test func aSingleFailureAnywhereInARebuildLeavesAVMThatRuns() async throws {
        for step in 1..<Self.bound {
            let test = try TestDevhost()
            let devhost = test.devhost()
            let before = try await devhost.ensure(try test.request("demo")).record
            let observer = FaultObserver(failAt: step)
            var reason: (any Error)?
            do {
                try await Effects.$observer.withValue(observer) {
                    _ = try await devhost.rebuild(before.name, release: .image(test.otherImage, channel: nil))
                }
            } catch {
                reason = error
            }
            let after = try await devhost.describe(before.name)
            #expect(after.state == .running, "step \(step): \(String(describing: reason))")
            #expect(try await test.runsOnItsDisk(after.record, devhost), "step \(step)")
            if after.record.otherDisk == nil {
                #expect(
                    try await test.disks(of: "demo", devhost) == [after.record.diskNumber: after.record.imageHash],
                    "step \(step)")
            }
            if !observer.hasFailed {
                #expect(step > 3, "the walk saw next to nothing")
                return
            }
        }
        Issue.record("the verb did not run through within \(Self.bound) effects")
    }

    @Test func aSingleFailureAnywhereInACreationLeavesNothingHalfMade() async throws {
        for step in 1..<Self.bound {
            let test = try TestDevhost()
            let devhost = test.devhost()
            do {
                try await Effects.$observer.withValue(FaultObserver(failAt: step)) {
                    _ = try await devhost.ensure(try test.request("demo"))
                }
                #expect(step > 3, "the walk saw next to nothing")
                return
            } catch {
                #expect(try devhost.list().isEmpty, "step \(step)")
                #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
            }
        }
        Issue.record("the verb did not run through within \(Self.bound) effects")
    }
}
