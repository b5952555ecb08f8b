import CLibvirt

@testable import DevhostCore

/// What happens to a libvirt beside the devhost.
extension Connection {
    /// Pauses a domain (`virDomainSuspend`), as QEMU does where it cannot write to the disk.
    func pauseDomain(_ name: VMName) async throws {
        try await changeDomain("virDomainSuspend", name) { try check(virDomainSuspend($0), "cannot pause \(name)") }
    }

    /// Stops a storage pool (`virStoragePoolDestroy`), as it is after a boot at which it could not be started.
    func stopPool(_ name: String) async throws {
        try await change("virStoragePoolDestroy", name) { call in try Self.stop(name, call) }
    }

    /// A connection with which a pool can be stopped from where nothing can be awaited.
    struct Raw: @unchecked Sendable {
        let pointer: OpaquePointer

        func stopPool(_ name: String) throws {
            try LibvirtCall.run(pointer) { try Connection.stop(name, $0) }
        }
    }

    func raw() async throws -> Raw { try await read { Raw(pointer: $0.connection) } }

    fileprivate static func stop(_ name: String, _ call: LibvirtCall) throws {
        let pool = try call.own(
            virStoragePoolLookupByName(call.connection, name), "cannot find the pool \(name)",
            release: virStoragePoolFree)
        try check(virStoragePoolDestroy(pool), "cannot stop the pool \(name)")
    }
}
