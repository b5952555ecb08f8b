#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension FileDescriptor {
    /// The size of the file in bytes.
    package func size(path: String) throws -> UInt64 {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw DevhostError.posix("cannot look at \(path)") }
        return UInt64(max(0, status.st_size))
    }

    /// Whether a path still leads to this file.
    package func isNamed(_ path: String) -> Bool {
        var mine = stat()
        var named = stat()
        return fstat(number, &mine) == 0 && stat(path, &named) == 0 && mine.st_ino == named.st_ino
            && mine.st_dev == named.st_dev
    }

    /// Reads bytes at a place without moving the place of ``read(upTo:path:)``; fewer than asked for at the end of the
    /// file.
    package func read(at offset: UInt64, count wanted: Int, path: String) throws -> [UInt8] {
        guard offset <= UInt64(Int64.max) else { return [] }
        return try [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
            filled = 0
            while filled < wanted {
                let place = buffer.baseAddress?.advanced(by: filled)
                let count = pread(number, place, wanted - filled, off_t(offset) + off_t(filled))
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { throw DevhostError.posix("cannot read \(path)") }
                if count == 0 { return }
                filled += count
            }
        }
    }

    /// Cuts the file off, or lets it grow by a hole, and moves the place of reading and writing to its end.
    package func truncate(to size: UInt64, path: String) throws {
        guard ftruncate(number, off_t(size)) == 0, lseek(number, off_t(size), SEEK_SET) >= 0 else {
            throw DevhostError.posix("cannot change the size of \(path)")
        }
    }

    /// Moves the place of reading and writing to the start.
    package func rewind(path: String) throws {
        guard lseek(number, 0, SEEK_SET) == 0 else { throw DevhostError.posix("cannot go to the start of \(path)") }
    }

    /// The digest of the whole file, which is read from its start.
    package func digest(path: String) throws -> SHA256Digest {
        let hasher = try SHA256Hasher()
        var offset: UInt64 = 0
        while true {
            let part = try read(at: offset, count: 1 << 20, path: path)
            if part.isEmpty { return try hasher.finish() }
            try part.withUnsafeBytes { try hasher.update($0) }
            offset += UInt64(part.count)
        }
    }
}
