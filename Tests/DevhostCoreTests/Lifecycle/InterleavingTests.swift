import Glibc
import Testing

@testable import DevhostCore

/// Two verbs on one VM at the same moment end where one after the other would have ended.
@Suite struct InterleavingTests {
    enum Verb: String, CaseIterable, Sendable {
        case ensure, rebuild, shutdown, suspend, destroy, cleanup

        func run(_ devhost: Devhost, _ test: TestDevhost) async throws {
            let name = try VMName("demo")
            switch self {
            case .ensure: try await devhost.ensure(try test.request("demo"))
            case .rebuild: try await devhost.rebuild(name)
            case .shutdown: try await devhost.shutDown(name)
            case .suspend: try await devhost.suspend(name)
            case .destroy: try await devhost.destroy(name)
            case .cleanup: _ = try await devhost.pruneImages(olderThanDays: 0)
            }
        }
    }

    /// What a VM is, as far as verbs decide it; nil for one that is not there.
    struct Outcome: Hashable {
        let state: DomainState
        let isOnline: Bool?
        let disks: [UInt32]
        let failures: Set<DevhostError.Code>
    }

    /// Holds a task up before each effect, for another time each time.
    struct Delays: EffectObserver {
        func willPerform(_ effect: Effect) throws { usleep(.random(in: 0...1500)) }
    }

    private func outcome(_ test: TestDevhost, failures: Set<DevhostError.Code>) async throws -> Outcome? {
        let devhost = test.devhost()
        let name = try VMName("demo")
        let findings = try await devhost.diagnose().findings.filter { $0.severity > .note }
        #expect(findings.isEmpty, "\(findings)")
        guard try devhost.records.find(name) != nil else {
            #expect(try await test.leftovers(of: "demo", devhost).isEmpty)
            return nil
        }
        let described = try await devhost.describe(name)
        return Outcome(
            state: try #require(described.state), isOnline: described.record.isOnline,
            disks: try await test.disks(of: "demo", devhost).keys.sorted(), failures: failures)
    }

    /// Runs a verb; a VM that is not there any more is what rebuild, shutdown and suspend may meet.
    private static func run(_ verb: Verb, _ test: TestDevhost) async throws -> DevhostError.Code? {
        do {
            try await Effects.$observer.withValue(Delays()) { try await verb.run(test.devhost(), test) }
            return nil
        } catch let error as DevhostError where error.code == .notFound {
            return error.code
        }
    }

    @Test(arguments: Verb.allCases, Verb.allCases)
    func twoVerbsAtOnceEndAsOneAfterTheOther(_ first: Verb, _ second: Verb) async throws {
        func made() async throws -> TestDevhost {
            let test = try TestDevhost()
            try await test.devhost().ensure(try test.request("demo"))
            return test
        }
        var serial: Set<Outcome?> = []
        for order in [[first, second], [second, first]] {
            let test = try await made()
            var failures: Set<DevhostError.Code> = []
            for verb in order { if let code = try await Self.run(verb, test) { failures.insert(code) } }
            serial.insert(try await outcome(test, failures: failures))
        }
        for _ in 0..<3 {
            let test = try await made()
            async let one = Self.run(first, test)
            async let two = Self.run(second, test)
            let failures = Set([try await one, try await two].compactMap { $0 })
            let found = try await outcome(test, failures: failures)
            #expect(serial.contains(found), "\(first) beside \(second): \(String(describing: found)) of \(serial)")
        }
    }
}
