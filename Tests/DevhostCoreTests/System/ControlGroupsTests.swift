import Glibc
import Testing

@testable import DevhostBase

/// Control groups in a folder that looks like `/sys/fs/cgroup`.
@Suite("Control groups", .enabled(if: geteuid() == 0, "needs root"))
struct ControlGroupsTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory(prefix: "devhost-groups") }

    private func make(_ path: String, owner: uid_t) throws {
        try Files.createDirectory("\(folder.path)/\(path)", mode: 0o755)
        try Files.write("\(folder.path)/\(path)/cgroup.procs", [], mode: 0o644)
        for file in ["", "/cgroup.procs"] { try #require(lchown("\(folder.path)/\(path)\(file)", owner, owner) == 0) }
    }

    private func members(_ path: String) throws -> String { try Files.readText("\(folder.path)/\(path)/cgroup.procs") }

    @Test("one that its user can freeze is left for one beside it, which is root's")
    func delegated() throws {
        for group in ["user.slice", "user.slice/user-1000.slice", "user.slice/user-1000.slice/fc-devhost"] {
            try make(group, owner: 0)
        }
        for group in ["user@1000.service", "user@1000.service/app.slice"] {
            try make("user.slice/user-1000.slice/\(group)", owner: 1000)
        }
        let membership = "\(folder.path)/membership"
        try Files.write(
            membership, Array("0::/user.slice/user-1000.slice/user@1000.service/app.slice\n".utf8), mode: 0o644)
        ControlGroups.leaveThoseOfOthers(root: folder.path, membership: membership)
        #expect(try members("user.slice/user-1000.slice/fc-devhost") == "\(getpid())")
    }

    @Test("one of root's is stayed in")
    func own() throws {
        for group in ["system.slice", "system.slice/fc-devhost"] { try make(group, owner: 0) }
        let membership = "\(folder.path)/membership"
        try Files.write(membership, Array("0::/system.slice/cron.service\n1:x:/../..\nnonsense\n".utf8), mode: 0o644)
        ControlGroups.leaveThoseOfOthers(root: folder.path, membership: membership)
        #expect(try members("system.slice/fc-devhost").isEmpty)
    }
}
