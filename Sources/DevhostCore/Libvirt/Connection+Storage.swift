import CLibvirt
import Glibc

extension Connection {
    /// A volume as libvirt has it.
    package struct VolumeStatus: Sendable {
        /// Where the file lies on the host that libvirt runs on.
        package let path: String
        /// The virtual size in bytes.
        package let capacity: UInt64
        /// What it occupies on the disk, in bytes.
        package let allocation: UInt64
    }

    private static func pool(_ call: LibvirtCall, _ name: String) throws -> OpaquePointer {
        try call.own(
            virStoragePoolLookupByName(call.connection, name), "cannot find the storage pool \(name)",
            release: virStoragePoolFree)
    }

    private static func volume(_ call: LibvirtCall, _ pool: String, _ name: String) throws -> OpaquePointer {
        let pool = try Self.pool(call, pool)
        return try call.own(
            virStorageVolLookupByName(pool, name), "cannot find the volume \(name)",
            release: virStorageVolFree)
    }

    /// Sees to it that a folder is a storage pool that is active and starts with the host.
    /// - Throws: `conflict` where a pool of this name stands for another folder.
    func ensurePool(_ name: String, xml: String, path: String) async throws {
        let status = try await read { call in
            try optional {
                let pool = try Self.pool(call, name)
                let xml = try takeString(virStoragePoolGetXMLDesc(pool, 0), "cannot read the pool \(name)")
                return (isOurs: xml.contains("<path>\(path)</path>"), isActive: virStoragePoolIsActive(pool) == 1)
            }
        }
        if let status, !status.isOurs, driver != .test {
            throw DevhostError(
                .conflict, "the storage pool \(name) stands for another folder than \(path)",
                next:
                    "remove it with 'virsh pool-destroy' and 'virsh pool-undefine', or choose another name in devhost.cfg"
            )
        }
        if status == nil {
            try await change("virStoragePoolDefineXML", name) { call in
                let pool = try call.own(
                    virStoragePoolDefineXML(call.connection, xml, 0), "cannot define the storage pool \(name)",
                    release: virStoragePoolFree)
                try check(virStoragePoolSetAutostart(pool, 1), "cannot let the pool \(name) start with the host")
            }
        }
        if status?.isActive != true {
            // The mock has no folders to make.
            let flags = driver == .test ? 0 : VIR_STORAGE_POOL_CREATE_WITH_BUILD.rawValue
            try await change("virStoragePoolCreate", name) { call in
                let pool = try Self.pool(call, name)
                if virStoragePoolCreate(pool, flags) < 0 {
                    let cause = LibvirtError.last()
                    if virStoragePoolIsActive(pool) == 1 { return }
                    throw DevhostError(cause.code, "cannot start the storage pool \(name)", underlying: cause)
                }
            }
        }
    }

    /// Whether there is a storage pool of this name that is active.
    func isPoolActive(_ name: String) async throws -> Bool {
        try await read { call in
            try optional { try check(virStoragePoolIsActive(Self.pool(call, name)), "") == 1 } ?? false
        }
    }

    /// The volume of this name; nil where the pool has none.
    package func volumeStatus(pool: String, name: String) async throws -> VolumeStatus? {
        try await read { call in
            try optional {
                let volume = try Self.volume(call, pool, name)
                var info = virStorageVolInfo()
                try check(virStorageVolGetInfo(volume, &info), "cannot ask for the size of \(name)")
                let path = try takeString(virStorageVolGetPath(volume), "cannot ask where \(name) lies")
                return VolumeStatus(path: path, capacity: info.capacity, allocation: info.allocation)
            }
        }
    }

    /// The file below a volume (`virStorageVolGetXMLDesc`); nil where there is none, or no such volume.
    func volumeBacking(pool: String, name: String) async throws -> String? {
        try await read { call in
            let text = try optional {
                let volume = try Self.volume(call, pool, name)
                return try takeString(virStorageVolGetXMLDesc(volume, 0), "cannot read the volume \(name)")
            }
            guard let text, let backing = text.firstRange(of: "<backingStore>"),
                let start = text[backing.upperBound...].firstRange(of: "<path>"),
                let end = text[start.upperBound...].firstRange(of: "</path>")
            else { return nil }
            return String(text[start.upperBound..<end.lowerBound])
        }
    }

    /// The names of the volumes of a pool (`virStoragePoolListAllVolumes`).
    package func volumeNames(pool name: String) async throws -> [String] {
        try await read { call in
            let pool = try Self.pool(call, name)
            var list: UnsafeMutablePointer<virStorageVolPtr?>?
            let count = try check(
                virStoragePoolListAllVolumes(pool, &list, 0), "cannot list the volumes of \(name)")
            defer { free(list) }
            return (0..<Int(count)).compactMap { index in
                guard let volume = list?[index] else { return nil }
                defer { virStorageVolFree(volume) }
                return virStorageVolGetName(volume).map { String(cString: $0) }
            }.sorted()
        }
    }

    /// Makes a volume (`virStorageVolCreateXML`).
    /// - Returns: Where its file lies.
    @discardableResult
    package func createVolume(pool: String, name: String, xml: String) async throws -> String {
        try await change("virStorageVolCreateXML", "\(pool)/\(name)") { call in
            let pool = try Self.pool(call, pool)
            let volume = try call.own(
                virStorageVolCreateXML(pool, xml, 0), "cannot make the volume \(name)",
                release: virStorageVolFree)
            return try takeString(virStorageVolGetPath(volume), "cannot ask where \(name) lies")
        }
    }

    /// Removes a volume (`virStorageVolDelete`); one that is missing is as good.
    package func deleteVolume(pool: String, name: String) async throws {
        guard try await volumeStatus(pool: pool, name: name) != nil else { return }
        try await change("virStorageVolDelete", "\(pool)/\(name)") { call in
            let volume = try Self.volume(call, pool, name)
            try check(virStorageVolDelete(volume, 0), "cannot remove the volume \(name)")
        }
    }

    /// Changes the virtual size of a volume that nobody uses (`virStorageVolResize`).
    func resizeVolume(pool: String, name: String, bytes: UInt64) async throws {
        try await change("virStorageVolResize", "\(pool)/\(name)") { call in
            let volume = try Self.volume(call, pool, name)
            try check(virStorageVolResize(volume, bytes, 0), "cannot change the size of the volume \(name)")
        }
    }

    /// Looks again at what lies in a pool's folder (`virStoragePoolRefresh`).
    package func refreshPool(_ name: String) async throws {
        try await change("virStoragePoolRefresh", name) { call in
            let pool = try Self.pool(call, name)
            try check(virStoragePoolRefresh(pool, 0), "cannot look again at the storage pool \(name)")
        }
    }

    /// Sends bytes into a volume from its start (`virStorageVolUpload`, `virStreamSend`).
    /// - Parameter next: Gives the next part; an empty one is the end. It runs on the thread of the call.
    package func uploadVolume(
        pool: String, name: String, next: @escaping @Sendable () throws -> [UInt8]
    ) async throws {
        try await change("virStorageVolUpload", "\(pool)/\(name)") { call in
            let volume = try Self.volume(call, pool, name)
            let stream = try call.own(virStreamNew(call.connection, 0), "cannot make a stream", release: virStreamFree)
            try check(virStorageVolUpload(volume, stream, 0, 0, 0), "cannot write the volume \(name)")
            do {
                while true {
                    let part = try next()
                    if part.isEmpty { break }
                    try Self.send(part, to: stream, name: name)
                }
            } catch {
                virStreamAbort(stream)
                throw error
            }
            try check(virStreamFinish(stream), "cannot finish writing the volume \(name)")
        }
    }

    private static func send(_ part: [UInt8], to stream: OpaquePointer, name: String) throws {
        try part.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let start = buffer.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self)
                let sent = try check(
                    virStreamSend(stream, start, buffer.count - offset), "cannot write the volume \(name)")
                offset += Int(sent)
            }
        }
    }
}
