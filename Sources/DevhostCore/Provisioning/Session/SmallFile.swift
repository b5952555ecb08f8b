#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file of this machine that is small enough to be sent in one piece, with what rsync would keep of it.
struct SmallFile {
    let name: String
    let content: [UInt8]
    let mode: mode_t
    /// The time of its last change, in seconds since 1970 with a fraction.
    let time: String

    /// Reads a file, or what a link leads to under the link's name; nil for what is no regular file, is larger than the
    /// limit, or needs a mode that only rsync can work out.
    init?(_ path: String, limit: UInt64, mode wanted: String?) throws {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, UInt64(status.st_size) <= limit else {
            return nil
        }
        if let wanted {
            guard let mode = mode_t(wanted, radix: 8) else { return nil }
            self.mode = mode & 0o7777
        } else {
            mode = status.st_mode & 0o7777
        }
        content = try Files.read(path, limit: Int(limit))
        name = ProvisionSession.name(of: path)
        #if canImport(Glibc)
            let changed = status.st_mtim
        #else
            let changed = status.st_mtimespec
        #endif
        let fraction = String(changed.tv_nsec)
        time = "\(changed.tv_sec).\(String(repeating: "0", count: 9 - fraction.count))\(fraction)"
    }
}
