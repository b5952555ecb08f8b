import Glibc
import Testing

@testable import DevhostCore

/// What failed creations leave takes a bounded room.
@Suite struct FailureRoomTests {
    private let test: TestDevhost
    private let devhost: Devhost

    init() throws {
        test = try TestDevhost()
        devhost = test.devhost()
    }

    private func fail(_ name: String, as devhost: Devhost, age days: Int = 0) throws {
        let vm = try VMName(name)
        try Files.createDirectory(devhost.layout.state, mode: 0o755)
        try devhost.keepFailure(of: vm, because: DevhostError(.guestFailed, "it does not start"))
        var times = [timeval(), timeval()]
        for index in times.indices { times[index].tv_sec = time(nil) - days * 86400 }
        try #require(utimes("\(devhost.layout.failure(vm))/reason", times) == 0)
    }

    @Test func ofOneUserTheLastTenAreKept() throws {
        let bob = test.devhost(caller: Caller(userID: 1001, name: "bob", isElevated: true))
        try fail("of-bob", as: bob, age: 20)
        for number in 10..<22 { try fail("vm\(number)", as: devhost, age: 22 - number) }
        let kept = try Files.names(in: devhost.layout.failures)
        #expect(kept == ["of-bob"] + (12..<22).map { "vm\($0)" })
        #expect(try devhost.consoleLog(VMName("vm12")).text.contains("it does not start"))
    }

    @Test func afterAMonthTheyGo() async throws {
        try fail("old", as: devhost, age: 31)
        try fail("new", as: devhost, age: 29)
        #expect(try Files.names(in: devhost.layout.failures) == ["new"])
        try fail("older", as: devhost, age: 31)
        _ = try await devhost.cleanUp()
        #expect(try Files.names(in: devhost.layout.failures) == ["new"])
    }

    @Test func ofAConsoleTheEndIsKept() throws {
        let name = try VMName("loud")
        for folder in [devhost.layout.state, devhost.layout.folder(name)] {
            try Files.createDirectory(folder, mode: 0o755)
        }
        let console = [UInt8](repeating: UInt8(ascii: "x"), count: 3 << 20) + Array("the end".utf8)
        try Files.write(devhost.layout.consoleLog(name), console, mode: 0o600)
        try fail("loud", as: devhost)
        let log = "\(devhost.layout.failure(name))/log"
        #expect(try Files.size(log) == UInt64(Devhost.keptConsole))
        #expect(try Files.readText(log).hasSuffix("xthe end"))
    }
}
