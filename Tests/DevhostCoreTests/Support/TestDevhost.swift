import FoundationEssentials
import Glibc
import Testing

@testable import DevhostBase
@testable import DevhostCore

/// A devhost on libvirt's own mock driver with all its files in a folder that goes with the test.
///
/// `test:///default` lives as long as one connection to it is open, and all connections of a process share it: each
/// test devhost has names of its own for the network and the pools.
final class TestDevhost: Sendable {
    let folder: TemporaryDirectory
    let configuration: Configuration
    let image: ResourceURL

    init() throws {
        folder = try TemporaryDirectory(prefix: "devhost-test")
        let name = "t" + String(UInt32.random(in: 0...UInt32.max), radix: 16)
        configuration = try Configuration(
            text: """
                [devhost]
                libvirt-uri = test:///default
                state = \(folder.path)/state
                records = \(folder.path)/records
                hosts-file = \(folder.path)/hosts
                [network]
                name = \(name)
                bridge = \(name)
                [images]
                file-folders = \(folder.path)
                """, source: "devhost.cfg")
        let path = "\(folder.path)/image.qcow2"
        try Self.makeImage(path)
        image = try ResourceURL("file://\(path)")
    }

    /// A qcow2 file as the packaged tool makes it.
    static func makeImage(_ path: String, size: String = "1G") throws {
        let tool = try Processes.find("qemu-img", package: "qemu-utils")
        #expect(Glibc.system("\(tool) create -q -f qcow2 \(path) \(size)") == 0)
    }

    func devhost(
        caller: Caller = Caller(userID: 1000, name: "alice", isElevated: true),
        probe: any GuestProbe = AnsweringProbe(),
        clock: any SystemClock = RealClock()
    ) -> Devhost {
        Devhost(configuration: configuration, caller: caller, clock: clock, probe: probe)
    }

    func request(_ name: String) throws -> EnsureRequest {
        var request = EnsureRequest(name: try VMName(name))
        request.source = .image(image, channel: try ResourceURL("https://example.com/channel.tar.xz"))
        return request
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.path) }
}

/// A guest whose ssh answers at once.
struct AnsweringProbe: GuestProbe {
    func answers(_ address: IPv4Address, limit: Duration) async throws -> Bool { true }
}
