import Glibc
import Testing

@testable import DevhostBase
@testable import DevhostCore

/// Where the keys of logins lie, and when they go.
@Suite struct LoginTests {
    private let host: TestDevhost
    private let name: VMName
    /// Through sudo, where the tests run as root.
    private let caller =
        geteuid() == 0
        ? Caller(userID: 65534, name: "nobody", isElevated: true) : Caller.current(environment: [:])

    init() async throws {
        host = try TestDevhost()
        name = try VMName("demo")
        _ = try await host.devhost().ensure(try host.request("demo"))
    }

    private var logins: String { host.configuration.layout.logins }

    private func onlyFolder() throws -> String {
        let names = try Files.names(in: logins)
        #expect(names.count == 1)
        return "\(logins)/\(try #require(names.first))"
    }

    private func status(_ path: String) throws -> stat {
        var status = stat()
        try #require(lstat(path, &status) == 0)
        return status
    }

    @Test func theCallerGetsTheKeyAndNotTheFolder() async throws {
        let session = try await host.devhost(caller: caller).login(name)
        let folder = try onlyFolder()
        for path in [logins, folder] {
            #expect(try status(path).st_uid == geteuid() && status(path).st_mode & 0o7777 == 0o711)
        }
        for file in ["key", "key-cert.pub", "known_hosts"] {
            #expect(try status("\(folder)/\(file)").st_uid == caller.userID)
        }
        #expect(try status("\(folder)/key").st_mode & 0o777 == 0o600)
        withExtendedLifetime(session) {}
    }

    @Test func aLinkInPlaceOfTheFolderLeadsRootNowhere() async throws {
        let precious = "\(host.folder.path)/precious"
        try Files.createDirectory(precious, mode: 0o755)
        try Files.write("\(precious)/key", [1], mode: 0o600)
        do {
            let session = try await host.devhost(caller: caller).login(name)
            let folder = try onlyFolder()
            try Files.rename(folder, to: "\(host.folder.path)/moved")
            try #require(symlink(precious, folder) == 0)
            withExtendedLifetime(session) {}
        }
        #expect(try Files.names(in: precious) == ["key"])
        // The key that was moved away is gone all the same.
        #expect(try Files.names(in: "\(host.folder.path)/moved") == [])
    }

    @Test func theKeyGoesWithTheLoginAndAKilledOneIsCollected() async throws {
        let killed = "\(logins)/killed"
        try Files.createDirectory(killed, mode: 0o711)
        try Files.write("\(killed)/key", [1], mode: 0o600)
        do {
            let session = try await host.devhost(caller: caller).login(name)
            let folder = try onlyFolder()
            #expect(folder != killed)
            host.devhost(caller: caller).forgetLogins()
            #expect(try onlyFolder() == folder)
            withExtendedLifetime(session) {}
        }
        #expect(try Files.names(in: logins) == [])
    }

    @Test func aFolderThatOthersCanChangeHoldsNoKey() async throws {
        try Files.createDirectory(logins, mode: 0o777)
        await expectError(.refused, containing: "others can write to it") {
            try await host.devhost(caller: caller).login(name)
        }
    }
}
