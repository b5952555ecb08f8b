/// Remembers which image each release had, so that one that has another one today is noticed: a small JSON file.
public struct ReleaseLedger: Sendable {
    /// Where the file lies.
    public let path: String
    private let isReadOnly: Bool
    private let clock: any SystemClock

    /// A ledger; the file is made when the first release is noted.
    /// - Parameter isReadOnly: Whether releases are only compared, for one who asks what a reference stands for.
    public init(path: String, isReadOnly: Bool = false, clock: any SystemClock = RealClock()) {
        self.path = path
        self.isReadOnly = isReadOnly
        self.clock = clock
    }

    /// How many releases of documents by URL are remembered, the newest ones: anybody can name any number of such
    /// documents. Releases of the catalog and of Hydra, which devhost.cfg names, are never forgotten.
    static let mostDocuments = 2000

    private struct Entry: Codable {
        var sha256: SHA256Digest
        var since: Timestamp
    }

    /// Notes the image of a release, or compares it with the one that was noted.
    /// - Parameter hash: nil for a release that does not pin its image: it is fine unless the release once did.
    /// - Throws: `refused` with both digests where they differ and for a ledger that is full, `damaged` where the file
    ///   cannot be read.
    func check(_ release: String, _ hash: SHA256Digest?) async throws {
        if try isNoted(try entries(), release, hash) { return }
        guard let hash, !isReadOnly else { return }
        try Files.createDirectory(Files.directory(of: path), mode: 0o755)
        let lock = try await FileLock.acquire(
            "\(path).lock", holder: "the noting of a release", limit: .seconds(60), clock: clock)
        defer { withExtendedLifetime(lock) {} }
        var entries = try entries()
        if try isNoted(entries, release, hash) { return }
        entries[release] = Entry(sha256: hash, since: Timestamp(clock.now))
        let documents = entries.filter { !$0.key.hasPrefix("fcrs://") && !$0.key.hasPrefix("hydra:") }
        let oldest = documents.sorted { ($0.value.since, $0.key) < ($1.value.since, $1.key) }
        for (key, _) in oldest.dropLast(Self.mostDocuments) { entries[key] = nil }
        let content = try JSONCoding.encode(entries)
        guard content.count <= Self.limit else {
            throw DevhostError(
                .refused, "cannot note the release \(release): \(path) would be larger than \(Self.limit) bytes",
                next: "move it away to start anew")
        }
        try Files.writeAtomically(path, content, mode: 0o644)
    }

    /// The largest ledger that is written and read, in bytes.
    private static let limit = 64 << 20

    private func entries() throws -> [String: Entry] {
        guard Files.exists(path) else { return [:] }
        let content = try Files.read(path, limit: Self.limit)
        guard let entries = try? JSONCoding.decode([String: Entry].self, from: content) else {
            throw DevhostError(
                .damaged, "cannot read the ledger of releases \(path)", next: "repair it, or move it away to start anew"
            )
        }
        return entries
    }

    private func isNoted(_ entries: [String: Entry], _ release: String, _ hash: SHA256Digest?) throws -> Bool {
        guard let entry = entries[release] else { return false }
        guard entry.sha256 == hash else {
            let now = hash.map { "has the image \($0)" } ?? "does not pin its image"
            throw DevhostError(
                .refused, "the release \(release) \(now), but had the image \(entry.sha256) on \(entry.since)",
                next: "ask whoever publishes it; if the change is right, remove its entry from \(path)")
        }
        return true
    }
}
