import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A pipe whose far end another process of root's opens by a path. No file of it is left behind, and the far end sees
/// the end of the data when this process ends, however that ends.
package final class PathPipe: Sendable {
    private let reader: Mutex<FileDescriptor?>
    private let writer: Mutex<FileDescriptor?>

    /// Linux's F_SETPIPE_SZ (fcntl(2)), which is not among what Swift takes over from the C library.
    private static let setSize: Int32 = 1031

    /// The path of the far end, until ``closeReader()``.
    package let path: String

    /// Makes a pipe that holds a mebibyte, or as much as this system lets it.
    package init() throws {
        let pipe = try Pipe()
        path = "/proc/\(getpid())/fd/\(pipe.reader)"
        #if os(Linux)
            _ = fcntl(pipe.writer, Self.setSize, 1 << 20)
        #endif
        reader = Mutex(pipe.handOverReader())
        writer = Mutex(pipe.handOverWriter())
    }

    /// Lets go of the far end here. When nobody else has it open, writing ends.
    package func closeReader() { reader.withLock { $0 = nil } }

    /// Lets the far end see the end of the data.
    package func closeWriter() { writer.withLock { $0 = nil } }

    /// Writes bytes, and waits while the pipe is full.
    /// - Returns: Whether somebody can still read them.
    package func write(_ bytes: [UInt8]) throws -> Bool {
        guard let writer = writer.withLock({ $0 }) else { return false }
        // A pipe without a reader would end the process.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        return try bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let count = Glibc.write(writer.number, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
                if count < 0 && errno == EINTR { continue }
                if count < 0 && errno == EPIPE { return false }
                guard count > 0 else { throw DevhostError.posix("cannot write into a pipe") }
                offset += count
            }
            return true
        }
    }
}
