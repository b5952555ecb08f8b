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

    /// Opens a regular file for reading. Links on the way must lead to where the listed folders are; the last component
    /// must not be one.
    /// - Throws: `permissionDenied` outside of the folders, whether a path or a link leads there, said without a look at
    ///   what lies there: an answer tells nothing about the rest of the file system; `notFound`; `refused` for a link or
    ///   anything but a regular file.
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
        let lexical = "/" + words.joined(separator: "/")
        let listed = folders.filter { lexical.isBelow($0) }
        guard !listed.isEmpty else { throw outside }
        guard listed.contains(where: { Self.resolve($0) != nil }) else {
            throw DevhostError(.notFound, "there is no file \(path.quoted)")
        }
        guard let folder = try folder(words.dropLast(), asked: path, outside) else { throw outside }
        return try Self.openRegular(folder, name, path)
    }

    /// Goes down component by component and follows links itself, so that nothing outside of the listed folders is looked
    /// at, and nothing on the way can become a link between the check and the use.
    /// - Returns: nil where the way ends outside.
    private func folder(_ words: ArraySlice<String>, asked: String, _ outside: DevhostError) throws -> FileDescriptor? {
        let roots = folders.compactMap { listed in
            Self.resolve(listed).map { (listed: listed.pathComponents, real: $0.pathComponents) }
        }
        var pending = Array(words.reversed())
        // Where the way has come to, without links, and the folders of it that are open: those within a listed one.
        var place: [String] = []
        var open: [Int: FileDescriptor] = [:]
        var links = 0
        func enter(_ folder: FileDescriptor?) {
            open = open.filter { $0.key < place.count }
            if let folder { open[place.count] = folder }
        }
        while true {
            // A listed folder is entered by either of its names, and may be a link of the administrator's.
            if open[place.count] == nil, let root = roots.first(where: { $0.listed == place || $0.real == place }) {
                place = root.real
                enter(try FileDescriptor.open("/" + place.joined(separator: "/"), O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
            }
            guard let word = pending.popLast() else { return open[place.count] }
            if word == "." { continue }
            if word == ".." {
                // What is open above a listed folder is none of ours.
                open[place.count] = nil
                if !place.isEmpty { place.removeLast() }
                continue
            }
            guard let parent = open[place.count] else {
                place.append(word)
                continue
            }
            var status = stat()
            guard fstatat(parent.number, word, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                throw DevhostError(.notFound, "there is no file \(asked.quoted)")
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                place.append(word)
                enter(try Self.child(parent, word, O_RDONLY | O_DIRECTORY, asked))
            case S_IFLNK:
                links += 1
                guard links <= Self.mostLinks, let target = Self.target(parent, word) else { throw outside }
                pending += target.pathComponents.reversed()
                if target.hasPrefix("/") {
                    place = []
                    open = [:]
                }
            default:
                throw DevhostError(.notFound, "there is no file \(asked.quoted)")
            }
        }
    }

    /// As many links are followed as the kernel follows.
    private static let mostLinks = 40

    /// Where a link leads, as it says itself.
    private static func target(_ folder: FileDescriptor, _ name: String) -> String? {
        let room = Int(PATH_MAX)
        var bytes = [UInt8](repeating: 0, count: room)
        let length = bytes.withUnsafeMutableBytes { buffer in
            buffer.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { readlinkat(folder.number, name, $0, room) } ?? -1
            }
        }
        guard length > 0, length < room else { return nil }
        return String(decoding: bytes[..<length], as: UTF8.self)
    }

    private static func openRegular(_ folder: FileDescriptor, _ name: String, _ path: String) throws -> FileDescriptor {
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
