#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Files {
    /// Makes a folder that belongs to somebody, or gives the one that exists to them. Those above it must exist.
    package static func createDirectory(_ path: String, mode: mode_t, owner: User) throws {
        var status = stat()
        let isThere = lstat(path, &status) == 0
        if isThere, status.st_mode & S_IFMT == S_IFDIR, status.st_mode & 0o7777 == mode,
            status.st_uid == owner.id, status.st_gid == owner.group
        {
            return
        }
        try Effects.announce(.file, "mkdir \(path) for \(owner.name)")
        if !isThere, mkdir(path, 0o700) != 0, errno != EEXIST {
            throw DevhostError.posix("cannot make the folder \(path)")
        }
        let folder = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        guard fchown(folder.number, owner.id, owner.group) == 0, fchmod(folder.number, mode) == 0 else {
            throw DevhostError.posix("cannot give the folder \(path) to \(owner.name)")
        }
    }

    /// Makes an empty file at once, without a file of another name beside it on the way; one that exists stays.
    package static func createEmpty(_ path: String, mode: mode_t) throws {
        if exists(path) { return }
        try Effects.announce(.file, "create \(path)")
        let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_NOFOLLOW, mode: mode)
        guard fchmod(file.number, mode) == 0 else { throw DevhostError.posix("cannot change the mode of \(path)") }
    }
}
