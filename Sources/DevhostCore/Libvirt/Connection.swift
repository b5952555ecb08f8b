import CLibvirt
import Glibc

/// A connection to the libvirt that runs the VMs. Everything the library does with VMs, disks and networks goes
/// through one; no libvirt pointer leaves this folder.
///
/// Its calls block, so each runs on a thread of its own; a connection may be used by several tasks at once.
public final class Connection: Sendable {
    /// Which hypervisor driver answers.
    public enum Driver: Sendable, Hashable {
        /// QEMU, with or without KVM.
        case qemu
        /// libvirt's own mock hypervisor (`test:///default`): no network filters, no contents of volumes.
        case test
        /// Another one.
        case other(String)
    }

    /// The URI that was opened.
    public let uri: String
    /// The driver behind it.
    public let driver: Driver
    private nonisolated(unsafe) let pointer: OpaquePointer

    private static let isInitialized: Bool = {
        // Without a handler libvirt writes its errors to the user's stderr.
        virSetErrorFunc(nil) { _, _ in }
        return virInitialize() == 0
    }()

    private init(uri: String, driver: Driver, pointer: OpaquePointer) {
        self.uri = uri
        self.driver = driver
        self.pointer = pointer
    }

    deinit { virConnectClose(pointer) }

    /// Connects (`virConnectOpen`).
    /// - Throws: `unavailable` when libvirt does not answer, `permissionDenied` when it does not let us in.
    public static func open(_ uri: String) async throws -> Connection {
        try Effects.announce(.libvirt, "virConnectOpen \(uri)")
        return try await Blocking.run {
            guard isInitialized else { throw DevhostError(.unsupported, "libvirt cannot be initialized") }
            guard let pointer = virConnectOpen(uri) else {
                let cause = LibvirtError.last()
                let code: DevhostError.Code = cause.code == .permissionDenied ? .permissionDenied : .unavailable
                throw DevhostError(
                    code, "cannot reach libvirt at \(uri)",
                    next: code == .permissionDenied
                        ? "run this as root, with sudo, or as a member of the group libvirt"
                        : "start it (systemctl start libvirtd, or virtlogd -d and libvirtd -d) and try again",
                    underlying: cause)
            }
            let name = virConnectGetType(pointer).map { String(cString: $0) } ?? ""
            let driver: Driver =
                switch name {
                case "QEMU": .qemu
                case "TEST", "Test": .test
                default: .other(name)
                }
            return Connection(uri: uri, driver: driver, pointer: pointer)
        }
    }

    /// Runs a call that only looks.
    func read<Result: Sendable>(_ body: @escaping @Sendable (LibvirtCall) throws -> Result) async throws -> Result {
        try await Blocking.run { [self] in try LibvirtCall.run(pointer, body) }
    }

    /// Runs a call that changes something, announced as `function object`.
    @discardableResult
    func change<Result: Sendable>(
        _ function: String, _ object: String, _ body: @escaping @Sendable (LibvirtCall) throws -> Result
    ) async throws -> Result {
        try Effects.announce(.libvirt, "\(function) \(object)")
        return try await Blocking.run { [self] in try LibvirtCall.run(pointer, body) }
    }

    /// Whether the connection still stands, as far as the last call showed (`virConnectIsAlive`).
    func isAlive() async throws -> Bool { try await read { call in virConnectIsAlive(call.connection) != 0 } }

    /// What the host is made of (`virNodeGetInfo`).
    public func node() async throws -> NodeDescription {
        try await read { call in
            var info = virNodeInfo()
            try check(virNodeGetInfo(call.connection, &info), "cannot ask libvirt about the host")
            let model = withUnsafeBytes(of: info.model) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            return NodeDescription(architecture: model, cpus: Int(info.cpus), memory: UInt64(info.memory) << 10)
        }
    }

    /// The memory of the host that is free or can be freed at once, in bytes (`virNodeGetMemoryStats`).
    func availableMemory() async throws -> UInt64 {
        try await read { call in
            var count: Int32 = 0
            let all = Int32(VIR_NODE_MEMORY_STATS_ALL_CELLS.rawValue)
            try check(virNodeGetMemoryStats(call.connection, all, nil, &count, 0), "cannot ask for the host's memory")
            var statistics = [virNodeMemoryStats](repeating: virNodeMemoryStats(), count: Int(count))
            try check(
                virNodeGetMemoryStats(call.connection, all, &statistics, &count, 0), "cannot ask for the host's memory")
            return statistics.reduce(0) { sum, each in
                let field = withUnsafeBytes(of: each.field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
                return ["free", "buffers", "cached"].contains(field) ? sum + UInt64(each.value) << 10 : sum
            }
        }
    }

    /// The hypervisor's version as libvirt counts it: 1,000,000 × major + 1,000 × minor + release (`virConnectGetVersion`).
    public func hypervisorVersion() async throws -> UInt64 {
        try await read { call in
            var version: UInt = 0
            try check(
                virConnectGetVersion(call.connection, &version), "cannot ask libvirt for the hypervisor's version")
            return UInt64(version)
        }
    }

    /// Whether this libvirt offers a virtualization type, for instance `kvm`
    /// (`virConnectGetDomainCapabilities`).
    public func offers(virtualization type: String, architecture: String) async throws -> Bool {
        try await read { call in
            guard let text = virConnectGetDomainCapabilities(call.connection, nil, architecture, nil, type, 0) else {
                return false
            }
            free(text)
            return true
        }
    }
}

/// The host that libvirt runs on.
public struct NodeDescription: Sendable, Hashable {
    /// The kernel's name for the processor's architecture, for instance `x86_64`.
    public let architecture: String
    /// How many CPUs are online.
    public let cpus: Int
    /// The memory in bytes.
    public let memory: UInt64
}
