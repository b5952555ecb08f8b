import Glibc

/// The qcow2 files of the store in a storage pool of libvirt. Only judged images come in here, because libvirt looks at
/// the headers of what lies in a pool; downloads must lie elsewhere.
package struct PoolVolumes: BaseImageVolumes {
    let libvirt: Connection
    let pool: String
    /// The pool's folder; nil where libvirt runs on another machine.
    package let localFolder: String?

    /// The volumes of a pool, which must be active.
    package init(libvirt: Connection, pool: String, localFolder: String?) {
        self.libvirt = libvirt
        self.pool = pool
        self.localFolder = localFolder
    }

    package func all() async throws -> [BaseImageVolume] {
        var volumes: [BaseImageVolume] = []
        for name in try await libvirt.volumeNames(pool: pool) {
            if let volume = try await volume(name) { volumes.append(volume) }
        }
        return volumes
    }

    package func volume(_ name: String) async throws -> BaseImageVolume? {
        try await libvirt.volumeStatus(pool: pool, name: name).map {
            BaseImageVolume(name: name, path: $0.path, allocation: $0.allocation)
        }
    }

    package func add(_ name: String, from path: String, virtualSize: UInt64, progress: @escaping ProgressHandler)
        async throws
        -> BaseImageVolume
    {
        try await libvirt.deleteVolume(pool: pool, name: name)
        let definition = VolumeDefinition(name: name, format: .qcow2, capacity: virtualSize, mode: "0444")
        let stored = try await libvirt.createVolume(pool: pool, name: name, xml: definition.rendered)
        do {
            if libvirt.driver != .test {
                let upload = FileUpload(
                    file: try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW), path: path,
                    total: try Files.size(path), progress: progress)
                try await libvirt.uploadVolume(pool: pool, name: name) { try upload.next() }
                if localFolder != nil {
                    let file = try FileDescriptor.open(stored, O_RDONLY | O_NOFOLLOW)
                    try await Blocking.run { try file.synchronize(path: stored) }
                }
            }
        } catch {
            try? await libvirt.deleteVolume(pool: pool, name: name)
            throw error
        }
        return try await volume(name) ?? BaseImageVolume(name: name, path: stored, allocation: 0)
    }

    package func remove(_ name: String) async throws { try await libvirt.deleteVolume(pool: pool, name: name) }
}
