#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Files {
    /// Adds bytes to the end of a file with one write, so that lines of several processes never mix; a file that does
    /// not exist is made. No link is followed.
    package static func append(_ path: String, _ content: [UInt8], mode: mode_t) throws {
        try Effects.announce(.file, "append \(path)")
        let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: mode)
        try file.write(content, path: path)
    }
}
