import Synchronization
import Testing

@testable import DevhostBase
@testable import DevhostCore

/// When a guest counts as answering.
@Suite struct ReadinessTests {
    let test: TestDevhost
    let console: String
    static let word = "fc-warm-start: ssh answers\r\n"

    init() throws {
        test = try TestDevhost()
        let layout = test.configuration.layout
        console = layout.consoleLog(try VMName("demo"))
        try Files.createDirectory(layout.state, mode: 0o755)
        try Files.createDirectory(layout.folder(try VMName("demo")), mode: 0o700)
    }

    /// Notes what a guest is asked.
    private final class AskedGuest: GuestProbe {
        let asked = Mutex([String]())
        let isReached: Bool

        init(isReached: Bool) { self.isReached = isReached }

        func answers(_ address: IPv4Address, limit: Duration) async throws -> Bool {
            asked.withLock { $0.append("banner") }
            return true
        }

        func isReached(_ address: IPv4Address, limit: Duration) async throws -> Bool {
            asked.withLock { $0.append("network") }
            return isReached
        }
    }

    /// - Returns: What the guest was asked until it counted as answering.
    private func wait(
        _ text: String?, from start: UInt64 = 0, believesConsole: Bool = true, isReached: Bool = true
    ) async throws -> [String] {
        if let text { try Files.write(console, Array(text.utf8), mode: 0o600) }
        let guest = AskedGuest(isReached: isReached)
        try await Readiness(
            name: VMName("demo"), address: IPv4Address("127.0.0.1"), consoleLog: console, consoleStart: start,
            limit: .seconds(60), clock: RealClock(), probe: guest, state: { .running }, believesConsole: believesConsole
        ).wait { _ in }
        return guest.asked.withLock { $0 }
    }

    @Test func aGuestThatHasAskedItsSshdHasToBeReachedOnly() async throws {
        #expect(try await wait("[    1.0] Linux\r\n" + Self.word) == ["network"])
    }

    @Test func whatWasSaidBeforeThisStartDoesNotCount() async throws {
        #expect(try await wait(Self.word, from: UInt64(Self.word.utf8.count)) == ["banner"])
    }

    @Test func aConsoleThatWasBegunAnewIsAllOfThisStart() async throws {
        #expect(try await wait(Self.word, from: 2 << 20) == ["network"])
    }

    @Test(arguments: [nil, "fc-warm-start: the template is ready\r\n"])
    func aGuestThatDoesNotSaySoIsAsked(text: String?) async throws {
        #expect(try await wait(text) == ["banner"])
    }

    @Test func afterABootTheGuestIsAskedWhateverItSays() async throws {
        #expect(try await wait(Self.word, believesConsole: false) == ["banner"])
    }

    @Test func aGuestThatAnswersNobodyButAtItsSshPortIsFound() async throws {
        #expect(
            try await wait(Self.word, isReached: false) == [String](repeating: "network", count: 9) + ["banner"])
    }

    @Test func aMachineIsReachedWhereAConnectionIsMadeOrRefused() throws {
        let here = try IPv4Address("127.0.0.1")
        let server = try LoopbackServer { $1.reply() }
        defer { server.stop() }
        #expect(try TCPConnection.isAnswered(here, port: UInt16(server.port), limit: .seconds(5)))
        // Reserved: nobody listens there.
        #expect(try TCPConnection.isAnswered(here, port: 0, limit: .seconds(5)))
        #expect(try TCPConnection.open(here, port: 0, limit: .seconds(5)) == nil)
        // No host has an address of this network (RFC 1112 section 4).
        #expect(try !TCPConnection.isAnswered(IPv4Address("240.0.0.1"), port: 9, limit: .milliseconds(50)))
    }
}
