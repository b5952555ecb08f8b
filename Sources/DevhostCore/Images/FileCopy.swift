import Glibc

/// Copies a file with its digest computed on the way, as a download from this machine. The owner of the source may write
/// to it meanwhile: what counts afterwards is the copy alone.
struct FileCopy: Sendable {
    let source: FileDescriptor
    let name: String
    let target: FileDescriptor
    let path: String
    let progress: ProgressHandler

    /// What tells the file from a changed one. The time of its last change of status cannot be set by anybody.
    func validators() throws -> HTTPValidators {
        var status = stat()
        guard fstat(source.number, &status) == 0 else { throw DevhostError.posix("cannot look at \(name)") }
        let times = [status.st_mtim, status.st_ctim].map { "\($0.tv_sec).\($0.tv_nsec)" }
        return HTTPValidators(
            etag: "\(status.st_dev)-\(status.st_ino)-\(status.st_size)-\(times.joined(separator: "-"))")
    }

    func run(maximum: UInt64, admit: (UInt64?) throws -> Void) throws -> (sha256: SHA256Digest, size: UInt64) {
        let total = try source.size(path: name)
        try admit(total)
        let hasher = try SHA256Hasher()
        var meter = TransferMeter()
        var size: UInt64 = 0
        while true {
            let part = try source.read(upTo: 1 << 20, path: name)
            size += UInt64(part.count)
            guard size <= maximum else {
                throw DevhostError(.refused, "\(name) has more than the \(maximum) bytes that are allowed")
            }
            guard size <= total else {
                throw DevhostError(
                    .refused, "\(name) grows while it is copied", next: "use it when nobody writes to it any more")
            }
            if let rate = meter.record(size, at: .now, isLast: part.isEmpty) {
                progress(.transfer(what: name, done: size, total: total, rate: rate))
            }
            if (size - UInt64(part.count)) / FreeSpace.step != size / FreeSpace.step {
                try admit(total - min(total, size))
            }
            if part.isEmpty { return (try hasher.finish(), size) }
            try part.withUnsafeBytes { try hasher.update($0) }
            try target.write(part, path: path)
        }
    }
}
