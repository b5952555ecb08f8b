import Testing

@testable import DevhostCore

/// Walks every outside effect of a verb: stops there as a crash would, and looks whether the next call completes.
@Suite struct CrashTests {
    /// Runs `verb` with a stop at step 0, 1, 2, … until it runs through; `check` follows every stop.
    private func walk(
        _ verb: (Devhost) async throws -> Void, prepare: (Devhost) async throws -> Void = { _ in },
        check: (Devhost, TestDevhost, Int) async throws -> Void
    ) async throws {
        for step in 0... {
            let test = try TestDevhost()
            let devhost = test.devhost()
            try await prepare(devhost)
            var isThrough = true
            do {
                try await Effects.$observer.withValue(StepObserver(stopAt: step)) { try await verb(test.devhost()) }
            } catch {
                isThrough = false
            }
            try await check(devhost, test, step)
            if isThrough {
                #expect(step > 3, "the walk saw next to nothing")
                return
            }
        }
    }

    @Test func afterACrashAnywhereInACreationEnsureCompletes() async throws {
        let image = try TestDevhost()
        try await walk {
            try await $0.ensure(try image.request("demo"))
        } check: { devhost, test, step in
            let made = try await devhost.ensure(try test.request("demo"))
            #expect(made.state == .running && !made.record.isIncomplete, "step \(step)")
            try await devhost.destroy(VMName("demo"))
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
        }
    }

    @Test func afterACrashAnywhereInACreationDestroyLeavesNothing() async throws {
        let image = try TestDevhost()
        try await walk {
            try await $0.ensure(try image.request("demo"))
        } check: { devhost, test, step in
            try await devhost.destroy(VMName("demo"))
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
        }
    }

    @Test func afterACrashAnywhereInADestroyItCanBeRepeated() async throws {
        let image = try TestDevhost()
        try await walk {
            try await $0.destroy(VMName("demo"))
        } prepare: { devhost in
            try await devhost.ensure(try image.request("demo"))
            try await devhost.ensure(try image.request("other"))
        } check: { devhost, test, step in
            try await devhost.destroy(VMName("demo"))
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
            #expect(try await devhost.describe(VMName("other")).state == .running, "step \(step)")
        }
    }

    @Test func aSingleFailureAnywhereInACreationLeavesNothingHalfMade() async throws {
        let image = try TestDevhost()
        for step in 1... {
            let test = try TestDevhost()
            let devhost = test.devhost()
            do {
                try await Effects.$observer.withValue(FaultObserver(failAt: step)) {
                    _ = try await devhost.ensure(try image.request("demo"))
                }
                #expect(step > 3, "the walk saw next to nothing")
                return
            } catch {
                #expect(try devhost.list().isEmpty, "step \(step)")
                #expect(try await test.leftovers(of: "demo", devhost).isEmpty, "step \(step)")
            }
        }
    }
}
