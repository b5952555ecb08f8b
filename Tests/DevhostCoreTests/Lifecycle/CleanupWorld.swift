import FoundationEssentials
import Synchronization
import Testing

@testable import DevhostBase
@testable import DevhostCore

/// A devhost on the mock driver through whose months a test lives in a second: its clock moves when it is told to, and
/// what the traces of its VMs say is the test's.
final class CleanupWorld: Sendable {
    let test: TestDevhost
    let clock = WorldClock()
    let sources = WorldSources()
    let configuration: Configuration

    init(_ settings: String = "") throws {
        test = try TestDevhost()
        var configuration = test.configuration
        configuration.cleanup = try Configuration(text: "[cleanup]\n\(settings)", source: "devhost.cfg").cleanup
        self.configuration = configuration
    }

    /// The devhost, as a new process has it.
    var devhost: Devhost { test.devhost(clock: clock, cleanup: configuration.cleanup, useSources: sources) }

    func ensure(_ name: String) async throws -> VMName {
        try await devhost.ensure(try test.request(name)).record.name
    }

    /// Lets days pass as the timers do: a look between two clean-ups, which are a day apart and look too.
    /// - Parameter daily: What happens on each day, before its clean-up.
    /// - Returns: The steps of all clean-ups, with the day on which each was made.
    @discardableResult
    func live(days: Int, daily: (Int) async throws -> Void = { _ in }) async throws -> [(day: Int, text: String)] {
        var steps: [(day: Int, text: String)] = []
        for day in 1...days {
            clock.advance(hours: 12)
            _ = try await devhost.collectSigns()
            clock.advance(hours: 12)
            try await daily(day)
            let report = try #require(try await devhost.cleanUp())
            #expect(report.failures == [])
            steps += report.steps.map { (day, "\($0.name) \($0.action.rawValue)") }
        }
        return steps
    }
}

/// A clock whose time and uptime a test moves, together or one alone.
final class WorldClock: SystemClock {
    private let state = Mutex((date: Date(timeIntervalSince1970: 1_700_000_000), uptime: 1000.0, boot: 1))
    var now: Date { state.withLock { $0.date } }
    var monotonic: ContinuousClock.Instant { .now }
    var uptime: Uptime { state.withLock { Uptime(boot: "\($0.boot)", seconds: $0.uptime) } }
    func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }

    /// Lets time pass.
    func advance(hours: Double) {
        state.withLock { state in
            state.date += hours * 3600
            state.uptime += hours * 3600
        }
    }
    /// Sets the date, as a wrong time server does.
    func jump(days: Double) { state.withLock { $0.date += days * 86400 } }
    /// The machine was off for a while and starts again.
    func reboot(after hours: Double) { state.withLock { $0 = ($0.date + hours * 3600, 60, $0.boot + 1) } }
}

/// Traces that a test makes up.
final class WorldSources: UseSources {
    struct State {
        var requests: [String: Timestamp] = [:]
        var connections: [TCPTable.Connection] = []
        /// To which address root has a connection, from another port each time.
        var probed: String?
        var lastPort = 40000
        var cpuTimes: [VMName: UInt64] = [:]
        var logins: [VMName: Timestamp] = [:]
        /// Guests that do not tell.
        var mute: Set<VMName> = []
        /// What each guest shows.
        var shown: [VMName: String] = [:]
    }
    private let state = Mutex(State())

    func change(_ edit: (inout sending State) -> Void) { state.withLock { edit(&$0) } }
    func shown(_ name: VMName) -> String? { state.withLock { $0.shown[name] } }

    func requests() throws -> [String: Timestamp] { state.withLock { $0.requests } }
    func connections() throws -> [TCPTable.Connection] {
        state.withLock { state in
            guard let probed = state.probed else { return state.connections }
            state.lastPort += 1
            return state.connections + [
                TCPTable.Connection(remoteAddress: probed, remotePort: 22, localPort: state.lastPort, user: 0)
            ]
        }
    }
    func cpuTimes(_ libvirt: Connection) async throws -> [VMName: UInt64] { state.withLock { $0.cpuTimes } }
    func lastLogin(_ record: VMRecord, _ libvirt: Connection, notice: String?) async throws -> Timestamp? {
        try state.withLock { state in
            if state.mute.contains(record.name) { throw DevhostError(.unavailable, "it does not answer") }
            state.shown[record.name] = notice
            return state.logins[record.name]
        }
    }
}
