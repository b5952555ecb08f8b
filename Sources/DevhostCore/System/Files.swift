#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the library does with files. Every change passes ``Effects``.
package enum Files {
    /// The content of a file.
    /// - Throws: `notFound`, `permissionDenied`; `refused` for a file larger than `limit` bytes.
    package static func read(_ path: String, limit: Int = 64 << 20) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, O_RDONLY)
        var content: [UInt8] = []
        while true {
            let part = try file.read(upTo: 64 << 10, path: path)
            if part.isEmpty { return content }
            content += part
            guard content.count <= limit else {
                throw DevhostError(.refused, "cannot read \(path): it is larger than \(limit) bytes")
            }
        }
    }

    /// The content of a file; empty where there is none.
    package static func readIfPresent(_ path: String, limit: Int = 64 << 20) throws -> [UInt8] {
        do {
            return try read(path, limit: limit)
        } catch let error as DevhostError where error.code == .notFound {
            return []
        }
    }

    /// The content of a text file; bytes that are no UTF-8 are replaced.
    package static func readText(_ path: String, limit: Int = 64 << 20) throws -> String {
        String(decoding: try read(path, limit: limit), as: UTF8.self)
    }

    /// The last bytes of a file, as text.
    package static func tail(_ path: String, bytes: Int) throws -> String {
        let file = try FileDescriptor.open(path, O_RDONLY)
        let size = lseek(file.number, 0, SEEK_END)
        lseek(file.number, max(0, size - off_t(bytes)), SEEK_SET)
        return String(decoding: try file.read(upTo: bytes, path: path), as: UTF8.self)
    }

    /// Replaces a file as a whole: whoever reads it sees the old content or the new, also after a loss of power.
    /// - Parameter owner: Whom the file shall belong to; nil leaves it with this process's user.
    package static func writeAtomically(
        _ path: String, _ content: [UInt8], mode: mode_t, owner: (user: uid_t, group: gid_t)? = nil
    ) throws {
        try replace(path, content, mode: mode, owner: owner, isDurable: true)
    }

    /// Replaces a file as a whole for everybody who reads it. A loss of power may bring the old content back: for what
    /// can be derived again.
    package static func write(_ path: String, _ content: [UInt8], mode: mode_t) throws {
        try replace(path, content, mode: mode, owner: nil, isDurable: false)
    }

    private static func replace(
        _ path: String, _ content: [UInt8], mode: mode_t, owner: (user: uid_t, group: gid_t)?, isDurable: Bool
    ) throws {
        try Effects.announce(.file, "write \(path)")
        // Hidden, so that no program which watches the folder takes it for one of its files: dnsmasq reads each at once.
        let name = path.split(separator: "/").last ?? ""
        let temporary = "\(directory(of: path))/.\(name).\(getpid()).\(UInt32.random(in: 0...UInt32.max)).tmp"
        do {
            let file = try FileDescriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            try file.write(content, path: path)
            if let owner, fchown(file.number, owner.user, owner.group) != 0 {
                throw DevhostError.posix("cannot change the owner of \(path)")
            }
            guard fchmod(file.number, mode) == 0 else { throw DevhostError.posix("cannot change the mode of \(path)") }
            if isDurable { try file.synchronize(path: path) }
            guard Glibc.rename(temporary, path) == 0 else { throw DevhostError.posix("cannot replace \(path)") }
        } catch {
            unlink(temporary)
            throw error
        }
        if isDurable { try synchronize(directory(of: path)) }
    }

    /// Whether a file of this name is what a process left that ended while it replaced a file.
    package static func isTemporary(_ name: String) -> Bool { name.hasPrefix(".") && name.hasSuffix(".tmp") }

    /// Writes the content of a file, or the names in a folder, through to the disk.
    package static func synchronize(_ path: String) throws {
        try FileDescriptor.open(path, O_RDONLY).synchronize(path: path)
    }

    /// The folder that a path lies in.
    package static func directory(of path: String) -> String {
        // By scalars, as the kernel reads paths: to Swift a slash with a combining mark behind it is no slash.
        guard let slash = path.unicodeScalars.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes a folder and those above it; one that exists is left as it is.
    package static func createDirectory(_ path: String, mode: mode_t) throws {
        if isDirectory(path) { return }
        let parent = directory(of: path)
        if parent != path, !isDirectory(parent) { try createDirectory(parent, mode: 0o755) }
        try Effects.announce(.file, "mkdir \(path)")
        if mkdir(path, mode) == 0 {
            // The mode must hold whatever the umask is.
            guard chmod(path, mode) == 0 else { throw DevhostError.posix("cannot change the mode of \(path)") }
        } else if errno != EEXIST || !isDirectory(path) {
            throw DevhostError.posix("cannot make the folder \(path)")
        }
    }

    /// Removes a file; one that does not exist is as good.
    package static func remove(_ path: String) throws {
        guard exists(path) else { return }
        try Effects.announce(.file, "remove \(path)")
        guard unlink(path) == 0 || errno == ENOENT else { throw DevhostError.posix("cannot remove \(path)") }
    }

    /// Removes an empty folder; one that does not exist is as good.
    package static func removeDirectory(_ path: String) throws {
        guard exists(path) else { return }
        try Effects.announce(.file, "rmdir \(path)")
        guard rmdir(path) == 0 || errno == ENOENT else { throw DevhostError.posix("cannot remove the folder \(path)") }
    }

    /// Gives a file another name in the same file system, replacing what bears it.
    package static func rename(_ path: String, to target: String) throws {
        try Effects.announce(.file, "rename \(path) \(target)")
        guard Glibc.rename(path, target) == 0 else { throw DevhostError.posix("cannot rename \(path) to \(target)") }
    }

    /// Makes a symbolic link.
    package static func link(_ path: String, to target: String) throws {
        try Effects.announce(.file, "link \(path) \(target)")
        guard symlink(target, path) == 0 else { throw DevhostError.posix("cannot make the link \(path)") }
    }

    /// Whether something bears this name; a link counts, wherever it points.
    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Who owns a file and who may write to it.
    package struct Status: Sendable {
        let owner: uid_t
        let mode: mode_t
        /// The size in bytes.
        package let size: UInt64

        /// Whether it is a folder of root's or of the user of this process in which strangers can replace nothing.
        package var keepsOthersOut: Bool {
            (owner == 0 || owner == geteuid()) && (mode & 0o002 == 0 || mode & mode_t(S_ISVTX) != 0)
        }
        /// Whether nobody can write to it but root and the user of this process.
        package var isProtected: Bool { (owner == 0 || owner == geteuid()) && mode & 0o022 == 0 }
        /// Whether nobody but root can write to it, and root only after a change of its mode.
        package var isReadOnly: Bool { isProtected && mode & 0o222 == 0 }
    }

    /// The status of a file, or of what a link leads to; nil where there is none.
    package static func status(_ path: String) -> Status? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Status(owner: status.st_uid, mode: status.st_mode, size: UInt64(status.st_size))
    }

    /// Whether this is a folder, or a link to one.
    package static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether this is a symbolic link. With a slash behind it, a path means what the link leads to.
    package static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// The size of a file in bytes.
    package static func size(_ path: String) throws -> UInt64 {
        var status = stat()
        guard stat(path, &status) == 0 else { throw DevhostError.posix("cannot look at \(path)") }
        return UInt64(status.st_size)
    }

    /// The room that a file takes up on its disk in bytes: holes take none.
    package static func allocatedSize(_ path: String) throws -> UInt64 {
        var status = stat()
        guard stat(path, &status) == 0 else { throw DevhostError.posix("cannot look at \(path)") }
        // POSIX leaves the unit open; it is 512 bytes on Linux and macOS.
        return UInt64(status.st_blocks) * 512
    }

    /// The names in a folder, sorted; none where there is no such folder.
    package static func names(in path: String) throws -> [String] {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return [] }
            throw DevhostError.posix("cannot list \(path)")
        }
        defer { closedir(directory) }
        return names(of: directory)
    }

    /// The names in an open folder, sorted.
    /// - Parameter path: The folder's path, for messages.
    package static func names(of folder: FileDescriptor, path: String) throws -> [String] {
        // The stream closes its descriptor.
        let number = openat(folder.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0, let directory = fdopendir(number) else { throw DevhostError.posix("cannot list \(path)") }
        defer { closedir(directory) }
        return names(of: directory)
    }

    private static func names(of directory: OpaquePointer) -> [String] {
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
