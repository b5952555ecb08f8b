import DevhostBase
import DevhostCore
import FoundationEssentials
import Glibc
import Testing

/// The private test host that these tests run in: Tests/Support/test-host makes it, with a libvirtd of its own.
enum TestHost {
    static let isHere = environment("DEVHOST_TEST_HOST") == "1" && environment("DEVHOST_TEST_IMAGE") != nil
    static let why: Comment =
        "real VMs need Tests/Support/test-host (root) and DEVHOST_TEST_IMAGE, as 'make test' gives them"

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// The Debian image of the project, where devhost.cfg lets images lie.
    static func image() throws -> ResourceURL {
        let folder = Layout().localImages
        let path = "\(folder)/debian-12.qcow2"
        if !Files.exists(path) {
            try Files.createDirectory(folder, mode: 0o755)
            guard let source = environment("DEVHOST_TEST_IMAGE") else { throw Missing() }
            try FileManager.default.copyItem(atPath: source, toPath: path)
        }
        return try ResourceURL("file://\(path)")
    }

    struct Missing: Error {}

    /// The devhost as fc-devhost sees it, with its default settings and those given.
    static func devhost(_ settings: String = "") throws -> Devhost {
        let configuration = try Configuration(text: settings, source: "devhost.cfg")
        return Devhost(configuration: configuration, caller: Caller(userID: 0, name: "root", isElevated: false))
    }

    /// fc-devhost as it was built beside the tests.
    static var program: String {
        Files.directory(of: CommandLine.arguments[0].hasPrefix("/") ? CommandLine.arguments[0] : selfPath)
            + "/fc-devhost"
    }

    private static var selfPath: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "."
    }

    /// Runs a line of shell on the test host.
    static func shell(_ line: String, limit: Duration = .seconds(120)) async throws -> CommandResult {
        try await Processes.run(Command("bash", ["-c", line]), limit: limit)
    }

    /// Runs a command in a VM as `developer`, the way `fc-devhost login` does.
    static func inside(_ name: VMName, _ line: String, limit: Duration = .seconds(120)) async throws -> String {
        let session = try await devhost().login(name, command: [line])
        let result = try await session.capture(limit: limit)
        let errors = String(decoding: result.errorOutput, as: UTF8.self)
        try #require(result.status == 0, "\(line): \(result.status) \(errors)")
        return String(decoding: result.output, as: UTF8.self).trimmed
    }

    /// A line for a guest that ends once its root file system has grown: it grows while ssh answers already.
    static func untilRootHolds(megabytes: Int) -> String {
        "until [ $(df --output=size -BM / | tail -1 | tr -dc 0-9) -gt \(megabytes) ]; do sleep 0.2; done; echo grown"
    }

    /// A request for a VM from the image.
    static func request(_ name: String, memory: Int = 768) throws -> EnsureRequest {
        var request = EnsureRequest(name: try VMName(name))
        request.release = .image(try image(), channel: try ResourceURL("https://example.com/channel.tar.xz"))
        request.memory = try MemorySize(mebibytes: memory)
        request.cpus = try CPUCount(1)
        request.diskSize = try DiskSize("8G")
        return request
    }
}

/// All that runs real VMs or a real libvirt, one after the other: two cores emulate one guest at a time well.
@Suite(.serialized, .enabled(if: TestHost.isHere, TestHost.why)) enum VirtualMachineTests {}
