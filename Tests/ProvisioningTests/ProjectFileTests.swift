import DevhostBase
import Foundation
import Testing

@Suite("Finding a project's ssh configuration")
struct ProjectFileTests {
    private func write(_ path: String, owner: uid_t = geteuid(), mode: mode_t = 0o600) throws {
        try Files.writeAtomically(path, Array("Host web vm\n    HostName vm\n".utf8), mode: 0o600)
        #expect(chown(path, owner, owner) == 0 && chmod(path, mode) == 0)
    }

    @Test("It is found from anywhere in the project, and not above it")
    func place() throws {
        let folder = try TemporaryDirectory(prefix: "project")
        let project = "\(folder.path)/project"
        for path in [project, "\(project)/environments", "\(project)/src", "\(project)/src/deep"] {
            try Files.createDirectory(path, mode: 0o755)
        }
        try write("\(folder.path)/ssh_config_dev")
        #expect(try ProjectFile.sshConfiguration(of: "vm", below: "\(project)/src/deep") == nil)
        try write("\(project)/ssh_config_dev")
        #expect(
            try ProjectFile.sshConfiguration(of: "vm", below: "\(project)/src/deep") == "\(project)/ssh_config_dev")
        #expect(try ProjectFile.sshConfiguration(of: "other", below: "\(project)/src/deep") == nil)
    }

    @Test("A VM of several environments is not guessed, and the named one tells the service user")
    func several() throws {
        let folder = try TemporaryDirectory(prefix: "project")
        for name in ["dev", "test"] {
            try write("\(folder.path)/ssh_config_\(name)")
            let environment = "\(folder.path)/environments/\(name)"
            try Files.createDirectory(environment, mode: 0o755)
            try Files.writeAtomically(
                "\(environment)/environment.cfg", Array("[environment]\nservice_user = s-\(name)\n".utf8), mode: 0o600)
        }
        let error = #expect(throws: DevhostError.self) {
            try ProjectFile.sshConfiguration(of: "web", below: folder.path)
        }
        #expect(error?.code == .conflict)
        for part in ["\(folder.path)/ssh_config_dev", "\(folder.path)/ssh_config_test", "--ssh-config"] {
            #expect(error?.description.contains(part) == true, "\(part)")
        }
        #expect(ProjectFile.serviceUser(of: "web", in: "\(folder.path)/ssh_config_test") == "s-test")
        #expect(ProjectFile.serviceUser(of: "web", in: "\(folder.path)/config") == nil)
    }

    @Test("What somebody else wrote, or could write, is passed over", .enabled(if: geteuid() == 0, "gives files away"))
    func strangers() throws {
        let folder = try TemporaryDirectory(prefix: "project")
        let path = "\(folder.path)/ssh_config_dev"
        func found() throws -> Bool { try ProjectFile.sshConfiguration(of: "vm", below: folder.path) != nil }
        try write(path)
        #expect(try found())
        try write(path, mode: 0o666)
        #expect(try !found())
        try write(path, owner: 65534)
        #expect(try !found())
        try write(path)
        for (owner, mode, isGood) in [(uid_t(0), mode_t(0o777), false), (65534, 0o755, false), (0, 0o1777, true)] {
            #expect(chown(folder.path, owner, 0) == 0 && chmod(folder.path, mode) == 0)
            #expect(try found() == isGood)
        }
    }
}
