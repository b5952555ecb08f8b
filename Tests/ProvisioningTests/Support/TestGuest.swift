import DevhostBase
import Foundation
import Synchronization

/// A real sshd on loopback that plays a VM: its own configuration, keys and port, and a user of its own who may become
/// root through the real sudo. All of it goes when the test process ends, or with the test host, to which /etc and /run
/// belong.
final class TestGuest: Sendable {
    /// Why the tests that need a guest cannot run; nil where they can.
    static let missing: String? = {
        if ProcessInfo.processInfo.environment["DEVHOST_TEST_HOST"] != "1" {
            return "makes users who may use sudo: needs a test host of its own, as 'make test' gives it"
        }
        for program in ["sshd", "sudo", "rsync", "useradd"] where (try? Processes.find(program)) == nil {
            return "needs \(program): apt-get install openssh-server sudo rsync passwd"
        }
        return nil
    }()

    private static let created = Mutex<TestGuest?>(nil)

    /// The guest of this test process.
    static func shared() throws -> TestGuest {
        try created.withLock { created in
            if let created { return created }
            let guest = try TestGuest()
            created = guest
            atexit { TestGuest.created.withLock { $0?.remove() } }
            return guest
        }
    }

    let folder: String
    let user: String
    let port: UInt16
    private let sshd: ChildProcess

    var sshConfiguration: String { "\(folder)/ssh_config" }
    var log: String { (try? Files.readText("\(folder)/log")) ?? "" }
    var processID: pid_t { sshd.id }

    /// - Parameters:
    ///   - user: The user of another guest, to be shared; nil makes one.
    ///   - suffix: What tells the user apart from those of other guests.
    ///   - tools: Where sudo looks for programs; nil for the system's own folders.
    ///   - maxStartups: How many connections sshd takes in at a time.
    ///   - shell: The login shell of the user.
    init(
        user: String? = nil, suffix: String = "", tools: String? = nil, maxStartups: String = "200",
        shell: String = "/bin/bash"
    ) throws {
        folder = try Self.temporaryFolder()
        self.user = user ?? "dvh\(getpid())\(suffix)"
        port = try Self.freePort()
        for path in ["/run/sshd"] where !Files.isDirectory(path) { mkdir(path, 0o755) }
        if user == nil {
            try Self.shell("useradd --base-dir /run --create-home --shell \(shell) \(self.user)")
            let name = self.user
            let path = tools.map { "Defaults:\(name) secure_path=\($0)\n" } ?? ""
            try Data("\(path)\(self.user) ALL=(ALL) NOPASSWD: ALL\n".utf8).write(
                to: URL(fileURLWithPath: "/etc/sudoers.d/\(self.user)"))
            try Self.shell("useradd --home-dir /run/s\(self.user) --create-home --shell /bin/bash s\(self.user)")
        }
        try Self.shell(
            "ssh-keygen -q -t ed25519 -N '' -f \(folder)/host; ssh-keygen -q -t ed25519 -N '' -f \(folder)/key")
        try Data(
            """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(folder)/host
            AuthorizedKeysFile \(folder)/key.pub
            StrictModes no
            UsePAM yes
            PrintMotd no
            MaxStartups \(maxStartups)
            PermitRootLogin yes
            LogLevel VERBOSE
            Subsystem sftp internal-sftp

            """.utf8
        ).write(to: URL(fileURLWithPath: "\(folder)/sshd_config"))
        let hostKey = try Files.readText("\(folder)/host.pub").split(separator: " ").prefix(2).joined(separator: " ")
        try Data("[127.0.0.1]:\(port) \(hostKey)\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/known_hosts"))
        let output = try FileDescriptor.open("\(folder)/log", O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
        let null = try FileDescriptor.open("/dev/null", O_RDWR)
        sshd = try ChildProcess(
            Command("sshd", ["-D", "-e", "-f", "\(folder)/sshd_config"]), input: null.number, output: output.number,
            errors: output.number)
        try Data(configuration(key: "\(folder)/key").utf8).write(to: URL(fileURLWithPath: sshConfiguration))
        for _ in 0..<500 {
            if log.contains("Server listening") { return }
            usleep(10_000)
        }
        throw DevhostError(.timedOut, "sshd does not listen: \(log)")
    }

    /// An ssh configuration in which `vm` is the guest.
    func configuration(key: String, port: UInt16? = nil) -> String {
        """
        Host vm
            HostName 127.0.0.1
            Port \(port ?? self.port)
            User \(user)
            IdentityFile \(key)
            IdentitiesOnly yes
            UserKnownHostsFile \(folder)/known_hosts
            StrictHostKeyChecking yes

        """
    }

    /// How many connections the guest has accepted.
    var connections: Int { log.split(separator: "\n").count { $0.contains("Accepted publickey") } }

    /// The processes of sshd that serve connections.
    func connectionProcesses() throws -> [pid_t] {
        var found: [pid_t] = []
        var parents = [processID]
        while let parent = parents.popLast() {
            let children = try Self.shell("pgrep -P \(parent) sshd").split(separator: "\n").compactMap { pid_t($0) }
            found += children
            parents += children
        }
        return found
    }

    /// Ends a guest that shares its user with another one.
    func end() {
        sshd.signal(SIGTERM)
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Ends a guest that has a user of its own.
    func remove() {
        sshd.signal(SIGTERM)
        _ = try? Self.shell(
            """
            pkill -KILL -u \(user); pkill -KILL -u s\(user); userdel -r \(user); userdel -r s\(user)
            rm -rf /etc/sudoers.d/\(user) \(folder)
            """)
    }

    static func temporaryFolder() throws -> String {
        let path = "/tmp/devhost-test-\(UUID().uuidString.prefix(8))"
        mkdir(path, 0o755)
        chmod(path, 0o755)
        return path
    }

    static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 ? getsockname(descriptor, pointer, &length) : -1
            }
        }
        guard result == 0 else { throw DevhostError.posix("no port is free") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Connects to a port of this machine and says nothing.
    static func connect(_ port: UInt16) async throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw DevhostError.posix("cannot connect to port \(port)") }
        return descriptor
    }

    /// Runs a line of the shell that must succeed.
    @discardableResult
    static func shell(_ line: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", line]
        let output = Foundation.Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
