import Glibc

/// The memory of a template on its way to a new VM.
struct TemplateMemory: Sendable {
    let file: FileDescriptor
    let path: String
    private let saved: SavedMemory

    /// What came of a start.
    struct Outcome: Sendable {
        /// The digest of the file as it was read.
        let digest: SHA256Digest
        /// Why libvirt did not start the domain; nil where it did.
        let failure: DevhostError?
    }

    /// - Throws: `damaged` for a file that is not saved memory, `notFound`.
    init(_ path: String) throws {
        file = try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW)
        self.path = path
        saved = try SavedMemory(file, path: path)
    }

    /// Starts a VM that is off from this memory, with another definition in it. Nothing is copied on the disk. The guest
    /// stands still: whether the memory is what it should be is known when all of it has been read.
    func start(_ name: VMName, xml: String, _ libvirt: Connection) async throws -> Outcome {
        let pipe = try PathPipe()
        // Without a reader the sender comes to its end, whatever became of the domain.
        defer { pipe.closeReader() }
        async let digest = Blocking.run { try send(xml: xml, into: pipe) }
        var failure: DevhostError?
        do {
            try await libvirt.restoreDomain(name, from: pipe.path)
        } catch let error as DevhostError {
            failure = error
        }
        pipe.closeReader()
        return Outcome(digest: try await digest, failure: failure)
    }

    /// Writes it all into a pipe as long as somebody reads there, and reads all of it anyway.
    private func send(xml: String, into pipe: PathPipe) throws -> SHA256Digest {
        defer { pipe.closeWriter() }
        let hasher = try SHA256Hasher()
        var isWanted = try pipe.write(saved.beginning(xml: xml))
        var offset: UInt64 = 0
        while true {
            let part = try file.read(at: offset, count: 1 << 20, path: path)
            if part.isEmpty { return try hasher.finish() }
            try part.withUnsafeBytes { try hasher.update($0) }
            let own = Int(min(saved.dataStart - min(offset, saved.dataStart), UInt64(part.count)))
            if isWanted && own < part.count { isWanted = try pipe.write(own == 0 ? part : Array(part[own...])) }
            offset += UInt64(part.count)
        }
    }
}
