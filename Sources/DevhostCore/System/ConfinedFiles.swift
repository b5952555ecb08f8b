#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Opens files for a caller who may read less than this process: only below folders that an administrator has listed.
package struct ConfinedFiles: Sendable, Hashable {
    /// The folders, as devhost.cfg lists them. They may be links.
    package var folders: [String]

    package init(folders: [String]) { self.folders = folders }

    /// Opens a regular file for reading. Links on the way are resolved and must not lead out of the listed folders; the
    /// last component must not be one.
    /// - Throws: `permissionDenied` outside of the folders, said without a look at what lies there; `notFound`; `refused`
    ///   for a link or anything but a regular file.
    package func open(_ path: String) throws -> FileDescriptor {
        let outside = DevhostError(
            .permissionDenied, "\(path.quoted) does not lie in a folder from which files may be taken",
            next: folders.isEmpty
                ? "let an administrator list the folder under [images] file-folders in devhost.cfg"
                : "use a file below \(folders.joined(separator: ", "))")
        let words = path.pathComponents
        guard path.hasPrefix("/"), let name = words.last, !words.contains(".."), !words.contains(".") else {
            throw outside
        }
        // What the path says is compared before anything is looked at, so that an answer tells nothing about the rest of
        // the file system; where links lead is compared after.
        let lexical = "/" + words.joined(separator: "/")
        guard folders.contains(where: { lexical.isBelow($0) }) else { throw outside }
        guard let folder = Self.resolve(Files.directory(of: lexical)) else {
            throw DevhostError(.notFound, "there is no file \(path.quoted)")
        }
        guard let allowed = folders.lazy.compactMap({ Self.resolve($0) }).first(where: { "\(folder)/x".isBelow($0) })
        else { throw outside }
        return try Self.openBelow(allowed, String(folder.dropFirst(allowed.count)).pathComponents, name)
    }

    /// Goes down component by component, so that nothing on the way can become a link between the check and the use.
    private static func openBelow(_ root: String, _ components: [String], _ name: String) throws -> FileDescriptor {
        var path = root
        var folder = try FileDescriptor.open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        for component in components {
            path += "/\(component)"
            folder = try child(folder, component, O_RDONLY | O_DIRECTORY, path)
        }
        path += "/\(name)"
        var status = stat()
        guard fstatat(folder.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw DevhostError.posix("cannot open \(path)")
        }
        // Opening a device or a pipe can have effects of its own.
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw DevhostError(.refused, "\(path.quoted) is not a regular file")
        }
        let file = try child(folder, name, O_RDONLY | O_NONBLOCK, path)
        guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw DevhostError(.refused, "\(path.quoted) is not a regular file")
        }
        return file
    }

    private static func child(_ folder: FileDescriptor, _ name: String, _ flags: Int32, _ path: String) throws
        -> FileDescriptor
    {
        let number = openat(folder.number, name, flags | O_NOFOLLOW | O_CLOEXEC)
        guard number >= 0 else { throw DevhostError.posix("cannot open \(path)") }
        return FileDescriptor(owning: number)
    }

    /// The path without links; nil where nothing is there.
    private static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

extension String {
    /// What stands between slashes, as the kernel sees them: with a combining mark behind it, a slash is part of another
    /// Character, and what looks like one name would lead through a link.
    fileprivate var pathComponents: [String] { unicodeScalars.split(separator: "/").map(String.init) }

    /// Whether the path, which has no `..`, lies in the folder or below it.
    fileprivate func isBelow(_ folder: String) -> Bool {
        let folder = folder.pathComponents
        let mine = pathComponents
        return mine.count > folder.count && mine.starts(with: folder)
    }
}
