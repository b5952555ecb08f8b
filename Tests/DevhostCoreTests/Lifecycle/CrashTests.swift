import Testing

@testable import DevhostCore

/// Walks every outside effect of a verb: stops there as a crash would, and looks whether the next call completes.
@Suite struct CrashTests {
    /// More effects than any verb has.
    private static let bound = 200

    /// Runs `verb` with a stop at step 0, 1, 2, … until it runs through; `check` follows every stop.
    private func walk(
        _ verb: (Devhost, TestDevhost) async throws -> Void,
        prepare: (Devhost, TestDevhost) async throws -> Void = { _, _ in },
        check: (Devhost, TestDevhost, Int) async throws -> Void
    ) async throws {
        for step in 0..<Self.bound {
            let test = try TestDevhost()
            let devhost = test.devhost()
            try await prepare(devhost, test)
            var isThrough = true
            do {
                try await Effects.$observer.withValue(StepObserver(stopAt: step)) {
                    try await verb(test.devhost(), test)
                }
            } catch {
                isThrough = false
            }
            try await check(devhost, test, step)
            if isThrough {
                #expect(step > 3, "the walk saw next to nothing")
                return
            }
        }
        Issue.record("the verb did not run through within \(Self.bound) effects")
    }

    @Test func afterACrashAnywhereInACreationEnsureCompletes() async throws {
        try await walk {
            try await $0.ensure(try $1.request("demo"))
        } check: { devhost, test, step in
            let made = try await devhost.ensure(try test.request("demo"))
            #expect(made.state == .running && !made.record.isIncomplete, "step \(step)")
            try await devhost.destroy(VMName("demo"))
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
        }
    }

    @Test func afterACrashAnywhereInACreationDestroyLeavesNothing() async throws {
        try await walk {
            try await $0.ensure(try $1.request("demo"))
        } check: { devhost, test, step in
            try await devhost.destroy(VMName("demo"))
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
        }
    }

    @Test func afterACrashAnywhereInADestroyItCanBeRepeated() async throws {
        try await walk { devhost, _ in
            try await devhost.destroy(VMName("demo"))
        } prepare: { devhost, test in
            try await devhost.ensure(try test.request("demo"))
            try await devhost.ensure(try test.request("other"))
        } check: { devhost, test, step in
            try await devhost.destroy(VMName("demo"))
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
            #expect(try await devhost.describe(VMName("other")).state == .running, "step \(step)")
        }
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
