import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Tells when something below a folder changes. `.git` is passed over, as it is when the folder is sent.
final class FolderWatcher: Sendable {
    #if os(Linux)
        private let queue: FileDescriptor
        private let cancellation: Cancellation
        private let root: String
        /// Whether there is nothing at the path at the moment.
        private let isMissing = Mutex(false)

        /// Begins to watch a folder and all below it, or a file.
        /// - Throws: `insufficientSpace` where the system watches too much already.
        init(_ root: String) throws {
            let number = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
            guard number >= 0 else { throw DevhostError.posix("cannot watch \(root.quoted)") }
            queue = FileDescriptor(owning: number)
            cancellation = try Cancellation()
            self.root = root
            guard Files.exists(root) else { throw DevhostError(.notFound, "there is no \(root.quoted)") }
            try add(root)
        }

        /// Waits for the next change, and until a moment passes without another.
        /// - Returns: Whether there was one; false where waiting is over.
        /// - Throws: `CancellationError`.
        func nextBurst() async throws -> Bool {
            let result = try await withTaskCancellationHandler {
                try await Blocking.run { try self.waitForBurst() }
            } onCancel: {
                cancellation.cancel()
            }
            try Task.checkCancellation()
            return result
        }

        private func waitForBurst() throws -> Bool {
            while true {
                // What is gone tells nothing when it comes again.
                if isMissing.withLock({ $0 }) {
                    if Files.exists(root) {
                        try add(root)
                        return true
                    }
                    if wait(200) { try drain() }
                } else if wait(-1) {
                    break
                }
                if cancellation.isCancelled { return false }
            }
            // A burst ends after 30 ms of silence, or after 200 ms: who waits for a change shall not wait long.
            let deadline = ContinuousClock.now + .milliseconds(200)
            repeat {
                try drain()
            } while ContinuousClock.now < deadline && wait(30)
            return !cancellation.isCancelled
        }

        private func wait(_ milliseconds: Int32) -> Bool {
            var polled = [
                pollfd(fd: queue.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: cancellation.descriptor, events: 0, revents: 0),
            ]
            var count: Int32
            repeat { count = poll(&polled, 2, milliseconds) } while count < 0 && errno == EINTR
            return count > 0 && polled[1].revents == 0
        }

        /// Takes the events; folders that came are watched from now on. Which event it was does not matter: rsync looks
        /// at everything, so that also an overflow of the queue loses nothing.
        private func drain() throws {
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            var hasNewFolders = false
            let anew = Self.mask([IN_ISDIR, IN_Q_OVERFLOW, IN_IGNORED, IN_DELETE_SELF, IN_MOVE_SELF])
            while true {
                let count = read(queue.number, &buffer, buffer.count)
                guard count > 0 else { break }
                var offset = 0
                buffer.withUnsafeBytes { bytes in
                    while offset + MemoryLayout<inotify_event>.size <= count {
                        let mask = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                        let length = bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self)
                        if mask & anew != 0 { hasNewFolders = true }
                        offset += MemoryLayout<inotify_event>.size + Int(length)
                    }
                }
            }
            if hasNewFolders { try add(root) }
        }

        private static func mask(_ events: [some BinaryInteger]) -> UInt32 {
            events.reduce(UInt32(0)) { $0 | UInt32(truncatingIfNeeded: $1) }
        }

        /// Watches a path and the folders below it; a path that is watched already stays so.
        private func add(_ path: String) throws {
            let mask = Self.mask([
                IN_MODIFY, IN_ATTRIB, IN_CLOSE_WRITE, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE, IN_DELETE_SELF,
                IN_MOVE_SELF,
            ])
            let isWatched = inotify_add_watch(queue.number, path, mask) >= 0
            if path == root { isMissing.withLock { $0 = !isWatched && errno == ENOENT } }
            guard isWatched else {
                if errno == ENOENT { return }
                throw DevhostError.posix(
                    "cannot watch \(path.quoted)",
                    next: errno == ENOSPC ? "raise fs.inotify.max_user_watches" : nil)
            }
            var status = stat()
            for name in (try? Files.names(in: path)) ?? [] where name != ".git" {
                let child = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
                if lstat(child, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { try add(child) }
            }
        }
    #else
        init(_ root: String) throws {
            throw DevhostError(.unsupported, "watching folders works on Linux only", next: "call sync without --watch")
        }

        func nextBurst() async throws -> Bool { false }
    #endif
}
