#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A folder in which somebody else may put anything at any moment: links, pipes, endless files, any number of names.
/// What lies in it is reached from the open folder, component by component; no link is followed, and nothing but regular
/// files is read.
package struct UntrustedFolder: Sendable {
    /// How many names of a folder are looked at.
    package static let mostNames = 20_000

    private let folder: FileDescriptor
    private let path: String

    /// Opens a folder; nil where there is none, or something else than a folder.
    /// - Parameter path: Those above it must be this process's own.
    package init?(_ path: String) throws {
        try self.init(in: AT_FDCWD, path, path)
    }

    private init?(in parent: Int32, _ name: String, _ path: String) throws {
        let number = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard number >= 0 else {
            if [ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG].contains(errno) { return nil }
            throw DevhostError.posix("cannot open \(path.printable)")
        }
        folder = FileDescriptor(owning: number)
        self.path = path
    }

    /// Opens a folder in it; nil where there is none.
    /// - Parameter name: One component of a path.
    package func folder(_ name: String) throws -> UntrustedFolder? {
        guard Self.isComponent(name) else { return nil }
        return try UntrustedFolder(in: folder.number, name, "\(path)/\(name)")
    }

    /// The names in it that are printable, sorted, and whether these are all.
    /// - Parameter limit: How many names are read at most, whatever they are.
    package func names(limit: Int = mostNames) throws -> (names: [String], isComplete: Bool) {
        let number = openat(folder.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0, let stream = fdopendir(number) else {
            if number >= 0 { close(number) }
            throw DevhostError.posix("cannot list \(path.printable)")
        }
        defer { closedir(stream) }
        var names: [String] = []
        var isComplete = true
        var count = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            guard count < limit else {
                isComplete = false
                break
            }
            count += 1
            if name.printable == name { names.append(name) }
        }
        return (names.sorted(), isComplete)
    }

    /// The content of a regular file; nil where there is nothing.
    /// - Parameters:
    ///   - limit: How many bytes are read at most.
    ///   - fromEnd: Whether they are the last ones of the file.
    /// - Throws: `refused` for a link, a pipe, a folder or a device.
    package func read(_ name: String, limit: Int, fromEnd: Bool = false) throws -> [UInt8]? {
        guard let (file, status) = try open(name) else { return nil }
        if fromEnd { lseek(file.number, max(0, status.st_size - off_t(limit)), SEEK_SET) }
        var content: [UInt8] = []
        while content.count < limit {
            let part = try file.read(upTo: min(1 << 20, limit - content.count), path: "\(path)/\(name)".printable)
            if part.isEmpty { break }
            content += part
        }
        return content
    }

    /// When a regular file was last written; nil for anything else, and where there is nothing.
    package func lastWritten(_ name: String) -> Date? {
        var status = stat()
        guard Self.isComponent(name), fstatat(folder.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
            status.st_mode & S_IFMT == S_IFREG
        else { return nil }
        return Date(timeIntervalSince1970: Double(status.st_mtim.tv_sec))
    }

    /// Removes what bears a name, a link and not what it leads to; a folder with the files in it.
    /// - Throws: Where a folder holds folders, or more than ``mostNames`` files.
    package func remove(_ name: String) throws {
        guard Self.isComponent(name) else { return }
        try Effects.announce(.file, "remove \(path)/\(name)")
        if let inner = try folder(name) {
            for file in try inner.names().names { unlinkat(inner.folder.number, file, 0) }
            guard unlinkat(folder.number, name, AT_REMOVEDIR) == 0 || errno == ENOENT else {
                throw DevhostError.posix("cannot remove the folder \("\(path)/\(name)".printable)")
            }
        } else if unlinkat(folder.number, name, 0) != 0, errno != ENOENT {
            throw DevhostError.posix("cannot remove \("\(path)/\(name)".printable)")
        }
    }

    private func open(_ name: String) throws -> (file: FileDescriptor, status: stat)? {
        guard Self.isComponent(name) else { return nil }
        let number = openat(folder.number, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard number >= 0 else {
            if errno == ENOENT || errno == ENAMETOOLONG { return nil }
            // A socket cannot be opened, a link is not followed.
            if [ELOOP, ENXIO, ENODEV].contains(errno) { throw irregular(name) }
            throw DevhostError.posix("cannot open \("\(path)/\(name)".printable)")
        }
        let file = FileDescriptor(owning: number)
        var status = stat()
        guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw irregular(name) }
        return (file, status)
    }

    private func irregular(_ name: String) -> DevhostError {
        DevhostError(.refused, "\("\(path)/\(name)".printable) is not a regular file")
    }

    private static func isComponent(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/"))
            && !name.utf8.contains(0)
    }
}
