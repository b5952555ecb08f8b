#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A folder of this process's user that goes with its owner, in a parent in which nobody else can rename anything.
///
/// Others may pass through it to files that are given to them, and can neither list nor change it. Its owner holds a
/// `flock` on it, which ends with the process however that ends: what nobody holds any more is collected.
package final class HeldDirectory: Sendable {
    package let path: String
    private let directory: FileDescriptor

    /// Makes a folder, after those in the parent that nobody holds any more are gone.
    /// - Parameter parent: Where it lies; made if it is not there. It must stand below folders that only this process's
    ///   user, or root, can write to.
    /// - Throws: `refused` where others could rename in the parent.
    package init(in parent: String) throws {
        try Files.createDirectory(parent, mode: 0o711)
        guard Files.status(parent)?.isProtected == true else {
            throw DevhostError(
                .refused, "cannot keep keys in \(parent): others can write to it", next: "take the folder away")
        }
        Self.collect(in: parent)
        try Effects.announce(.file, "mkdir \(parent)/XXXXXX")
        // Another process may collect the folder before this one holds it.
        for _ in 0..<100 {
            var template = Array("\(parent)/XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw DevhostError.posix("cannot make a folder in \(parent)") }
            let path = template.withUnsafeBufferPointer {
                String(decoding: $0.dropLast().map(UInt8.init), as: UTF8.self)
            }
            guard let directory = Self.hold(path) else { continue }
            guard fchmod(directory.number, 0o711) == 0 else {
                throw DevhostError.posix("cannot change the mode of \(path)")
            }
            self.path = path
            self.directory = directory
            return
        }
        throw DevhostError(.busy, "cannot make a folder in \(parent): each one is taken away at once")
    }

    /// Gives files of the folder to a user, who alone may read them then; the folder stays this process's user's.
    package func give(_ names: [String], to user: User) throws {
        for name in names {
            let number = openat(directory.number, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
            guard number >= 0 else { throw DevhostError.posix("cannot open \(path)/\(name)") }
            let file = FileDescriptor(owning: number)
            guard fchown(file.number, user.id, user.group) == 0, fchmod(file.number, 0o600) == 0 else {
                throw DevhostError.posix("cannot give \(path)/\(name) to \(user.name)")
            }
        }
    }

    deinit { remove() }

    /// Removes the folder and its files before its owner goes.
    package func remove() { Self.remove(path, directory) }

    /// Removes the folders of owners that have ended without doing so.
    package static func collect(in parent: String) {
        for name in (try? Files.names(in: parent)) ?? [] {
            let path = "\(parent)/\(name)"
            if let directory = hold(path) { remove(path, directory) }
        }
    }

    /// The folder, held; nil where it is gone or somebody holds it.
    private static func hold(_ path: String) -> FileDescriptor? {
        guard let directory = try? FileDescriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
            flock(directory.number, LOCK_EX | LOCK_NB) == 0
        else { return nil }
        var held = stat()
        var named = stat()
        guard fstat(directory.number, &held) == 0, lstat(path, &named) == 0, held.st_ino == named.st_ino else {
            return nil
        }
        return directory
    }

    private static func remove(_ path: String, _ directory: FileDescriptor) {
        for name in (try? Files.names(of: directory, path: path)) ?? [] { unlinkat(directory.number, name, 0) }
        rmdir(path)
    }
}
