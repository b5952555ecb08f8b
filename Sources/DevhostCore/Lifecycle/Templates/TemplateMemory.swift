import Glibc
import Synchronization

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
    ///
    /// libvirt before version 10 opens the path once, later ones first for the beginning and again for all of it.
    /// - Parameter path: Where libvirt finds the memory meanwhile.
    func start(_ name: VMName, xml: String, through path: String, _ libvirt: Connection) async throws -> Outcome {
        let beginning = saved.beginning(xml: xml)
        let readings = Mutex<[Result<Reading, any Error>]>([])
        let pipe = try PathPipe(path) { opening in
            let reading = Result { try send(beginning, into: opening) }
            readings.withLock { $0.append(reading) }
        }
        var failure: (any Error)?
        do {
            try await libvirt.restoreDomain(name, from: pipe.path)
        } catch {
            failure = error
        }
        try await Blocking.run { try pipe.close() }
        if let failure, !(failure is DevhostError) { throw failure }
        // What the last reader left unread is read here: the whole file is judged, whatever became of the domain.
        let last = try readings.withLock { try $0.map { try $0.get() } }.max { $0.offset < $1.offset }
        let rest = try last ?? Reading(file: file, path: self.path, hasher: SHA256Hasher())
        let digest = try await Blocking.run {
            var reading = rest
            while try !reading.next().isEmpty {}
            return try reading.hasher.finish()
        }
        return Outcome(digest: digest, failure: failure as? DevhostError)
    }

    /// One reading of the file from its start, with the digest of what was read so far.
    private struct Reading: Sendable {
        let file: FileDescriptor
        let path: String
        let hasher: SHA256Hasher
        var offset: UInt64 = 0

        /// The next part; empty at the end.
        mutating func next() throws -> [UInt8] {
            let part = try file.read(at: offset, count: 1 << 20, path: path)
            try part.withUnsafeBytes { try hasher.update($0) }
            offset += UInt64(part.count)
            return part
        }
    }

    /// Writes it all for one reader, for as long as that reads.
    private func send(_ beginning: [UInt8], into opening: PathPipe.Opening) throws -> Reading {
        var reading = Reading(file: file, path: path, hasher: try SHA256Hasher())
        var isWanted = try opening.write(beginning)
        while isWanted {
            let start = reading.offset
            let part = try reading.next()
            if part.isEmpty { break }
            let own = Int(min(saved.dataStart - min(start, saved.dataStart), UInt64(part.count)))
            if own < part.count { isWanted = try opening.write(own == 0 ? part : Array(part[own...])) }
        }
        return reading
    }
}
