import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A named pipe (mkfifo(3)) that another process opens by its path, as often as it likes, once after the other: each opening
/// reads the same data from their beginning, and sees their end when this process ends, however that ends.
///
/// A pipe keeps what one reader left in it for the next, as long as somebody has it open. So another one takes the path
/// before anything is written: who has read something opens a fresh one the next time.
package final class PathPipe: Sendable {
    /// What one opening reads.
    package final class Opening: Sendable {
        private let file: FileDescriptor

        fileprivate init(_ file: FileDescriptor) { self.file = file }

        /// Writes bytes, and waits while the pipe is full.
        /// - Returns: Whether somebody can still read them.
        package func write(_ bytes: [UInt8]) throws -> Bool {
            // A pipe without a reader would end the process.
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &signals, nil)
            return try bytes.withUnsafeBytes { buffer in
                var offset = 0
                while offset < buffer.count {
                    let rest = buffer.baseAddress?.advanced(by: offset)
                    let count = Glibc.write(file.number, rest, buffer.count - offset)
                    if count < 0 && errno == EINTR { continue }
                    if count < 0 && errno == EPIPE { return false }
                    guard count > 0 else { throw DevhostError.posix("cannot write into a pipe") }
                    offset += count
                }
                return true
            }
        }
    }

    /// Linux's F_SETPIPE_SZ (fcntl(2)), which is not among what Swift takes over from the C library.
    private static let setSize: Int32 = 1031

    /// Where it is opened, until ``close()``.
    package let path: String

    private let serve: @Sendable (Opening) -> Void
    private let isOver = Mutex(false)
    private let work = DispatchGroup()

    /// Makes the pipe, which root alone may open, in place of what a killed process may have left at the path.
    /// - Parameters:
    ///   - path: Its folder must be there, and nobody else's to write to.
    ///   - serve: Writes the data for one opening; called for each on a thread of its own.
    package init(_ path: String, serve: @escaping @Sendable (Opening) -> Void) throws {
        self.path = path
        self.serve = serve
        try Self.release(path)
        try Effects.announce(.file, "mkfifo \(path)")
        try Self.make(path)
        work.enter()
        Blocking.start {
            self.accept()
            self.work.leave()
        }
    }

    /// Takes the pipe away, and waits until all that was opened has been served or let go. Blocks.
    package func close() throws {
        let reader = try isOver.withLock { isOver in
            isOver = true
            // Whoever waits for a reader has one.
            return try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK)
        }
        work.wait()
        withExtendedLifetime(reader) {}
        try Files.remove(path)
    }

    /// Takes away what a process that was killed left at a path. Whoever waits there for its data sees their end.
    package static func release(_ path: String) throws {
        guard Files.exists(path) else { return }
        _ = try? FileDescriptor.open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW)
        try Files.remove(path)
    }

    /// Puts a new pipe in place of what is at a path, at once.
    private static func make(_ path: String) throws {
        let temporary = "\(Files.directory(of: path))/.pipe.tmp"
        unlink(temporary)
        guard mkfifo(temporary, 0o600) == 0, rename(temporary, path) == 0 else {
            throw DevhostError.posix("cannot make the pipe \(path)")
        }
    }

    private func accept() {
        while true {
            // Waits for a reader.
            guard let writer = try? FileDescriptor.open(path, O_WRONLY) else { return }
            let goesOn = isOver.withLock { isOver in !isOver && (try? Self.make(path)) != nil }
            guard goesOn else { return }
            #if os(Linux)
                _ = fcntl(writer.number, Self.setSize, 1 << 20)
            #endif
            work.enter()
            Blocking.start {
                self.serve(Opening(writer))
                self.work.leave()
            }
        }
    }
}
