#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A `flock` on a file that says who holds it. It ends with the process, however that ends; the file is removed when
/// the lock is let go, so that no locks pile up.
package final class FileLock: Sendable {
    /// How a lock is held.
    package enum Mode: Sendable {
        /// By one holder.
        case exclusive
        /// By any number of holders, and by no exclusive one meanwhile. Shared holders are not named.
        case shared
    }

    private let file: FileDescriptor
    private let path: String
    private let observer = Effects.observer
    private let start = ContinuousClock.now

    private init(file: FileDescriptor, path: String) {
        self.file = file
        self.path = path
    }

    /// Takes the lock, waiting while somebody else holds it.
    /// - Parameters:
    ///   - holder: What others read while they wait, for instance `ensure by alice`.
    ///   - mode: Whether others may hold it too.
    ///   - limit: How long to wait.
    ///   - waiting: Called once with the holder's text if the lock is not free.
    /// - Throws: `busy` with the holder's text when the limit passes.
    package static func acquire(
        _ path: String, holder: String, mode: Mode = .exclusive, limit: Duration, clock: any SystemClock,
        waiting: (String) -> Void = { _ in }
    ) async throws -> FileLock {
        let deadline = clock.monotonic + limit
        var hasSaid = false
        while true {
            if let lock = try attempt(path, holder: holder, mode: mode) { return lock }
            let other = (try? Files.readText(path, limit: 4096).trimmed.printable) ?? ""
            if !hasSaid {
                hasSaid = true
                waiting(other)
            }
            guard clock.monotonic < deadline else {
                throw DevhostError(
                    .busy, "waited \(limit.components.seconds) s for \(other.isEmpty ? "another command" : other)",
                    next: "try again when it has ended")
            }
            try await clock.sleep(for: .milliseconds(20))
        }
    }

    private static func attempt(_ path: String, holder: String, mode: Mode) throws -> FileLock? {
        let file = try FileDescriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        guard flock(file.number, (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK || errno == EINTR { return nil }
            throw DevhostError.posix("cannot lock \(path)")
        }
        // Whoever held the lock before has removed the file: what was locked here is a file without a name.
        var mine = stat()
        var named = stat()
        guard fstat(file.number, &mine) == 0, stat(path, &named) == 0, mine.st_ino == named.st_ino else { return nil }
        if mode == .exclusive {
            ftruncate(file.number, 0)
            // On a full disk the holder has no name, and the lock holds all the same.
            try? file.write(Array(holder.utf8), path: path)
        }
        return FileLock(file: file, path: path)
    }

    /// Whether anybody holds the lock at this moment.
    package static func isHeld(_ path: String) -> Bool {
        guard let file = try? FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW) else { return false }
        return flock(file.number, LOCK_SH | LOCK_NB) != 0
    }

    deinit {
        // Whoever shares the lock still needs its name; the last one to go can have it alone.
        if flock(file.number, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
        observer?.didHold(lock: path, for: .now - start)
    }
}
