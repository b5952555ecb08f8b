import Synchronization
import Testing

@testable import DevhostBase
@testable import DevhostCore

/// What is found out about a host once per boot.
@Suite struct HostTrialTests {
    let test: TestDevhost
    let devhost: Devhost
    let path: String

    init() throws {
        test = try TestDevhost()
        devhost = test.devhost()
        path = "\(test.folder.path)/trial.json"
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)

        /// Counts one more.
        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }

    @Test func manyWhoAskAtOnceMakeOneTrial() async throws {
        let libvirt = try await devhost.libvirt()
        let trials = Counter()
        let found = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<16 {
                group.addTask { [test, path] in
                    try await HostTrial(devhost: test.devhost(), libvirt: libvirt, path: path).result {
                        await Task.yield()
                        return trials.next()
                    }
                }
            }
            return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect(found == [1] && trials.next() == 2)
    }

    @Test func aTrialThatCannotBeMadeIsMadeAgain() async throws {
        let trial = HostTrial(devhost: devhost, libvirt: try await devhost.libvirt(), path: path)
        await expectError(.busy) {
            try await trial.result { () -> Bool in throw DevhostError(.busy, "another trial is under way") }
        }
        #expect(!Files.exists(path))
        #expect(try await trial.result { true })
        #expect(try await trial.result { false }, "what was found is kept")
    }

    /// In libvirt's words, with its numbers.
    @Test(arguments: [
        (9, "operation failed: domain '_devhost-kvm-probe' already exists with uuid 1", DevhostError.Code.busy),
        (55, "Requested operation is not valid: domain is already active as '_devhost-kvm-probe'", .busy),
        (39, "Cannot write data: Broken pipe", .unavailable),
        (1, "qemu unexpectedly closed the monitor: failed to initialize kvm: Invalid argument", nil),
    ])
    func aNameThatIsTakenSaysNothingOfTheHost(number: Int32, text: String, code: DevhostError.Code?) {
        #expect(LibvirtError(number: number, description: text, systemError: 0).codeOfChance == code)
    }
}
