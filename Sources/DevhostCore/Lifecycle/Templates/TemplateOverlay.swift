import Glibc
import Synchronization

/// The overlay of a template on its way into the disk of a VM, a part at a time: dozens of VMs may start at once.
struct TemplateOverlay: Sendable {
    /// The largest overlay that is taken, in bytes: a system that has just booted writes a few megabytes.
    static let largest: UInt64 = 512 << 20

    private let file: FileDescriptor
    private let path: String
    private let digest: SHA256Digest

    /// - Throws: `notFound`, `refused` for one that is too large.
    init(_ path: String, _ record: TemplateRecord) throws {
        file = try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW)
        self.path = path
        digest = record.diskDigest
        let size = try file.size(path: path)
        guard size <= Self.largest else {
            throw DevhostError(.refused, "its disk has \(size) bytes, and \(Self.largest) are taken")
        }
    }

    /// Its bytes, from the beginning.
    func parts() -> Parts { Parts(file: file, path: path, digest: digest) }

    /// Gives the bytes once.
    final class Parts: Sendable {
        private struct State {
            var offset: UInt64 = 0
            var hasher: SHA256Hasher?
        }

        private let file: FileDescriptor
        private let path: String
        private let digest: SHA256Digest
        private let state = Mutex(State())

        fileprivate init(file: FileDescriptor, path: String, digest: SHA256Digest) {
            self.file = file
            self.path = path
            self.digest = digest
        }

        /// The next 1 MiB; nothing at the end.
        /// - Throws: `damaged` at the end of an overlay that is not the one that was kept.
        func next() throws -> [UInt8] {
            try state.withLock { state in
                let hasher = try state.hasher ?? SHA256Hasher()
                state.hasher = hasher
                let part = try file.read(at: state.offset, count: 1 << 20, path: path)
                state.offset += UInt64(part.count)
                if part.isEmpty {
                    guard try hasher.finish() == digest else {
                        throw DevhostError(.damaged, "its disk is not the one that was kept")
                    }
                } else {
                    try part.withUnsafeBytes { try hasher.update($0) }
                }
                return part
            }
        }
    }
}
