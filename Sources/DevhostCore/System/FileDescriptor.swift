#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Owns an open file descriptor and closes it once.
package final class FileDescriptor: Sendable {
    package let number: Int32

    /// Takes over a descriptor.
    package init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// Opens a file, closed in programs that this process starts.
    package static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws -> FileDescriptor {
        var number: Int32
        repeat { number = Glibc.open(path, flags | O_CLOEXEC, mode) } while number < 0 && errno == EINTR
        guard number >= 0 else { throw DevhostError.posix("cannot open \(path)") }
        return FileDescriptor(owning: number)
    }

    /// Writes all bytes.
    package func write(_ bytes: some ContiguousBytesLike, path: String) throws {
        try bytes.withBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let count = Glibc.write(number, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw DevhostError.posix("cannot write \(path)")
                }
                offset += count
            }
        }
    }

    /// Reads up to `capacity` bytes; an empty result is the end of the file.
    package func read(upTo capacity: Int, path: String) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            var result: Int
            repeat { result = Glibc.read(number, buffer.baseAddress, capacity) } while result < 0 && errno == EINTR
            guard result >= 0 else {
                count = 0
                throw DevhostError.posix("cannot read \(path)")
            }
            count = result
        }
    }

    /// Writes the file's content through to the disk.
    package func synchronize(path: String) throws {
        guard fsync(number) == 0 else { throw DevhostError.posix("cannot write \(path) through to the disk") }
    }
}

/// What can be written to a file descriptor.
package protocol ContiguousBytesLike {
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
}

extension Array: ContiguousBytesLike where Element == UInt8 {
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withUnsafeBytes(body)
    }
}

extension UnsafeRawBufferPointer: ContiguousBytesLike {
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(self)
    }
}
