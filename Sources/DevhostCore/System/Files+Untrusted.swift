#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Files {
    /// The content of a file in a folder that belongs to somebody else: no link is followed, and nothing but a regular
    /// file is read.
    /// - Parameter limit: How many bytes are read at most; what comes after them is left out.
    /// - Throws: `notFound`, `permissionDenied`, `refused` for a link, a pipe or a device.
    package static func readUntrusted(_ path: String, limit: Int) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        var status = stat()
        guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw DevhostError(.refused, "\(path) is not a regular file")
        }
        var content: [UInt8] = []
        while content.count < limit {
            let part = try file.read(upTo: min(1 << 20, limit - content.count), path: path)
            if part.isEmpty { break }
            content += part
        }
        return content
    }
}
