import Glibc

/// The qcow2 files of the store in a plain folder: for tools and tests that have no libvirt.
public struct FolderVolumes: BaseImageVolumes {
    /// The folder.
    public let folder: String
    /// The folder.
    public var localFolder: String? { folder }

    /// The files of a folder, which must exist.
    public init(folder: String) { self.folder = folder }

    /// All qcow2 files.
    public func all() async throws -> [BaseImageVolume] {
        try Files.names(in: folder).filter { $0.hasSuffix(".qcow2") }.compactMap { try status($0) }
    }

    /// The file of this name; nil where there is none.
    public func volume(_ name: String) async throws -> BaseImageVolume? { try status(name) }

    /// Moves a file in, which makes it appear as a whole.
    public func add(
        _ name: String, from path: String, virtualSize: UInt64, progress: @escaping ProgressHandler
    ) async throws -> BaseImageVolume {
        let file = try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW)
        guard fchmod(file.number, 0o444) == 0 else { throw DevhostError.posix("cannot change the mode of \(path)") }
        try await Blocking.run { try file.synchronize(path: path) }
        try Files.rename(path, to: "\(folder)/\(name)")
        guard let volume = try status(name) else { throw DevhostError(.notFound, "\(folder)/\(name) has vanished") }
        return volume
    }

    /// Removes a file; one that is missing is as good.
    public func remove(_ name: String) async throws { try Files.remove("\(folder)/\(name)") }

    private func status(_ name: String) throws -> BaseImageVolume? {
        var status = stat()
        guard lstat("\(folder)/\(name)", &status) == 0 else {
            if errno == ENOENT { return nil }
            throw DevhostError.posix("cannot look at \(folder)/\(name)")
        }
        return BaseImageVolume(name: name, path: "\(folder)/\(name)", allocation: UInt64(status.st_blocks) * 512)
    }
}
