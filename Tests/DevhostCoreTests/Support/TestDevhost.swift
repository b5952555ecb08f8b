import FoundationEssentials
import Glibc
import Synchronization
import Testing

@testable import DevhostBase
@testable import DevhostCore

/// A devhost on libvirt's own mock driver with all its files in a folder that goes with the test. The mock's state lives
/// in one connection, which all devhosts of a test share, as processes share a libvirtd.
final class TestDevhost: Sendable {
    let folder: TemporaryDirectory
    let configuration: Configuration
    let image: ResourceURL
    /// An image with other bytes.
    let otherImage: ResourceURL
    private let libvirt: LazyConnection

    /// - Parameters:
    ///   - publish: The settings of [publish].
    ///   - more: Sections of devhost.cfg beside those that a test needs to stay within its folder.
    init(publish: String = "proxy = none\nlanding-page = yes", more: String = "") throws {
        folder = try TemporaryDirectory(prefix: "devhost-test")
        let node =
            "<node><cpu><mhz>1000</mhz><model>x86_64</model><active>8</active><nodes>1</nodes><sockets>1</sockets>"
            + "<cores>8</cores><threads>1</threads></cpu><memory>268435456</memory></node>"
        try Files.write("\(folder.path)/node.xml", Array(node.utf8), mode: 0o644)
        configuration = try Configuration(
            text: """
                [devhost]
                libvirt-uri = test://\(folder.path)/node.xml
                state = \(folder.path)/state
                records = \(folder.path)/records
                hosts-file = \(folder.path)/hosts
                [publish]
                \(publish)
                [network]
                capacity = 64
                [images]
                file-folders = \(folder.path)
                \(more)
                """, source: "devhost.cfg")
        libvirt = LazyConnection(uri: configuration.libvirtURI)
        let path = "\(folder.path)/image.qcow2"
        try Self.makeImage(path)
        image = try ResourceURL("file://\(path)")
        let other = "\(folder.path)/other.qcow2"
        try Self.makeImage(other, size: "2G")
        otherImage = try ResourceURL("file://\(other)")
    }

    /// A qcow2 file as the packaged tool makes it.
    static func makeImage(_ path: String, size: String = "1G") throws {
        let content = try images.withLock { images in
            if let content = images[size] { return content }
            let tool = try Processes.find("qemu-img", package: "qemu-utils")
            #expect(Glibc.system("\(tool) create -q -f qcow2 \(path) \(size)") == 0)
            let content = try Files.read(path)
            images[size] = content
            return content
        }
        try Files.write(path, content, mode: 0o644)
    }

    /// The images made so far by their size: the crash walks need a thousand.
    private static let images = Mutex<[String: [UInt8]]>([:])

    func devhost(
        caller: Caller = Caller(userID: 1000, name: "alice", isElevated: true),
        probe: any GuestProbe = AnsweringProbe(),
        clock: any SystemClock = RealClock(), startLimit: Duration? = nil, cleanup: Configuration.Cleanup? = nil,
        useSources: (any UseSources)? = nil
    ) -> Devhost {
        var configuration = configuration
        configuration.startLimit = startLimit ?? configuration.startLimit
        configuration.cleanup = cleanup ?? configuration.cleanup
        return Devhost(
            configuration: configuration, caller: caller, clock: clock, probe: probe, useSources: useSources,
            libvirt: libvirt)
    }

    func request(_ name: String) throws -> EnsureRequest {
        var request = EnsureRequest(name: try VMName(name))
        request.release = .image(image, channel: try ResourceURL("https://example.com/channel.tar.xz"))
        return request
    }

    /// The content of the hosts file.
    func hosts() throws -> String { try Files.readText(configuration.layout.hostsFile) }

    func setHosts(_ text: String) throws {
        try Files.write(configuration.layout.hostsFile, Array(text.utf8), mode: 0o644)
    }

    /// The disks of a VM by their numbers, with the images that they lie over.
    func disks(of name: String, _ devhost: Devhost) async throws -> [UInt32: SHA256Digest] {
        let libvirt = try await devhost.libvirt()
        let pool = HostPreparation.diskPool(configuration.network)
        var disks: [UInt32: SHA256Digest] = [:]
        for volume in try await libvirt.volumeNames(pool: pool) where volume.hasPrefix("\(name).") {
            let backing = try #require(try await libvirt.volumeBacking(pool: pool, name: volume))
            let file = try #require(backing.split(separator: "/").last)
            let words = volume.split(separator: ".")
            disks[words.count == 3 ? try #require(UInt32(words[1])) : 0] = try SHA256Digest(
                hex: String(file.dropLast(6)))
        }
        return disks
    }

    /// Whether a VM runs on the disk that its record names.
    func runsOnItsDisk(_ record: VMRecord, _ devhost: Devhost) async throws -> Bool {
        let volume = configuration.layout.diskVolume(record.name, record.diskNumber)
        return try await devhost.libvirt().isDomain(record.name, runningOnVolume: volume)
    }

    /// What is left of a VM anywhere.
    func leftovers(of name: String, _ devhost: Devhost) async throws -> [String] {
        let vm = try VMName(name)
        let layout = configuration.layout
        let network = configuration.network
        let libvirt = try await devhost.libvirt()
        var found = [layout.record(vm), layout.folder(vm), layout.lock(vm), "\(layout.dnsNames)/\(vm)"].filter(
            Files.exists)
        if try await libvirt.domainState(vm) != .missing { found.append("domain") }
        for pool in [HostPreparation.diskPool(network), HostPreparation.firstBootPool(network)]
        where try await libvirt.isPoolActive(pool) {
            found += try await libvirt.volumeNames(pool: pool).filter { $0.hasPrefix("\(vm).") }
        }
        if Files.exists(layout.hostsFile), try hosts().contains(" \(name)\n") { found.append("hosts file") }
        found += try Files.names(in: layout.use).filter { $0.hasPrefix("\(name).") }
        found += try Files.names(in: layout.publishedNames).filter {
            $0 == "\(name).localhost" || $0.hasSuffix(".\(name).localhost")
        }
        return found
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.path) }
}

/// A guest whose ssh answers at once.
struct AnsweringProbe: GuestProbe {
    func answers(_ address: IPv4Address, limit: Duration) async throws -> Bool { true }
}
