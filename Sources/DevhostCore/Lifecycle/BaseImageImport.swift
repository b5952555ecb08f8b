import Glibc

/// Takes an image into the pool of base images.
struct BaseImageImport {
    let devhost: Devhost
    let libvirt: Connection
    let progress: ProgressHandler

    func ensure(_ url: ResourceURL) async throws -> BaseImage {
        let path = url.path
        let file = try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW)
        let hasher = try SHA256Hasher()
        while true {
            let part = try file.read(upTo: 1 << 20, path: path)
            if part.isEmpty { break }
            try part.withUnsafeBytes { try hasher.update($0) }
        }
        let digest = try hasher.finish()
        let name = "\(digest).qcow2"
        let pool = HostPreparation.imagePool(devhost.configuration.network)
        if let volume = try await libvirt.volumeStatus(pool: pool, name: name) {
            return BaseImage(sha256: digest, path: volume.path, virtualSize: volume.capacity)
        }
        let header = Array(try Files.read(path, limit: 8 << 30)[24..<32])
        let size = header.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let volume = VolumeDefinition(name: name, format: .qcow2, capacity: size, mode: "0444")
        let stored = try await libvirt.createVolume(pool: pool, name: name, xml: volume.rendered)
        lseek(file.number, 0, SEEK_SET)
        if libvirt.driver != .test {
            try await libvirt.uploadVolume(pool: pool, name: name) { try file.read(upTo: 1 << 20, path: path) }
        }
        return BaseImage(sha256: digest, path: stored, virtualSize: size)
    }
}
