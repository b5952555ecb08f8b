import DevhostCommandLine
import DevhostCore
import FoundationEssentials
import Synchronization
import Testing

@testable import DevhostCLI

/// A devhost on libvirt's own mock driver, reached by command lines; its files go with it.
final class CommandHost: Sendable {
    let folder: TemporaryDirectory
    /// What the mock driver holds goes with its last connection: this one is kept over several command lines.
    private let devhost = Mutex<Devhost?>(nil)

    var records: String { "\(folder.path)/records" }
    var configuration: String { "\(folder.path)/devhost.cfg" }

    /// - Parameter uri: A libvirt; one that does not exist shows what needs none.
    init(uri: String = "test:///default") throws {
        folder = try TemporaryDirectory(prefix: "devhost-commands")
        let name = "c" + String(UInt32.random(in: 0...UInt32.max), radix: 16)
        let text = """
            [devhost]
            libvirt-uri = \(uri)
            records = \(folder.path)/records
            state = \(folder.path)/state
            hosts-file = \(folder.path)/hosts
            [publish]
            proxy = none
            [network]
            name = \(name)
            bridge = \(name)
            [images]
            file-folders = \(folder.path)
            [limits]
            memory-overcommit = yes
            """
        try Files.writeAtomically("\(folder.path)/devhost.cfg", Array(text.utf8), mode: 0o644)
        try Files.createDirectory("\(folder.path)/records", mode: 0o755)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.path) }

    /// Writes a record as it stands.
    func write(_ name: String, _ record: String) throws {
        try Files.writeAtomically("\(records)/\(name).json", Array(record.utf8), mode: 0o644)
    }

    /// Makes an image and returns its URL.
    func image() async throws -> String {
        let path = "\(folder.path)/image.qcow2"
        try await Processes.require(Command("qemu-img", ["create", "-q", "-f", "qcow2", path, "1G"]))
        return "file://\(path)"
    }

    struct Result {
        let status: Int32
        let output: String
        let errors: String
        var reason: String { errors.split(separator: "\n").last.map(String.init) ?? "" }
    }

    /// Runs a command line with this devhost's configuration and a guest that answers at once.
    func run(_ words: String..., isTerminal: Bool = false) async -> Result {
        let output = MemorySink()
        let errors = MemorySink(columns: isTerminal ? 80 : nil)
        let maker = DevhostMaker { [self] configuration, caller in
            devhost.withLock { kept in
                let devhost = kept ?? Devhost(configuration: configuration, caller: caller, probe: ReadyProbe())
                kept = devhost
                return devhost
            }
        }
        let status = await CommandContext.$maker.withValue(maker) {
            await FCDevhost.program.run(
                words + ["--config", configuration],
                caller: Caller(userID: 1000, name: "alice", isElevated: false), output: output, errors: errors)
        }
        return Result(status: status.number, output: output.text, errors: errors.text)
    }
}

/// A guest whose ssh answers at once.
struct ReadyProbe: GuestProbe {
    func answers(_ address: IPv4Address, limit: Duration) async throws -> Bool { true }
}
