import FoundationEssentials
import Glibc

/// The log of who did what to which VM: a JSON object a line, two for a verb, which root alone reads. Each line is one
/// write to the end of the file, so that a file that logrotate moved away loses none.
public struct AuditLog: Sendable {
    /// One line of the log.
    public struct Entry: Sendable, Hashable, Codable {
        /// Which line of a verb it is.
        public enum Event: String, Sendable, Codable {
            /// The verb begins. Where no `end` follows, it was killed, or goes on.
            case begin
            /// The verb has ended.
            case end
        }

        /// When, in UTC.
        public var time: Timestamp
        /// What the two lines of a verb share.
        public var id: String
        /// Which line of the verb it is.
        public var event: Event
        /// What is done, for instance `destroy`.
        public var verb: String
        /// To which VM; empty where the verb is not about one.
        public var vm: String
        /// What else is named: the label of a snapshot, the name of a clone, a release.
        public var object: String?
        /// The caller's name.
        public var user: String
        /// The caller's number.
        public var uid: UInt32
        /// Whether the caller came through sudo.
        public var sudo: Bool
        /// The caller's terminal.
        public var terminal: String?
        /// The address at the other end of the caller's ssh session.
        public var from: String?
        /// The processes above this one, the nearest first.
        public var parents: [String]?
        /// The number of this process.
        public var pid: Int32
        /// At the end: `ok`, or the kind of error.
        public var result: String?
        /// At the end: how long it took.
        public var seconds: Double?
    }

    /// Where files lie.
    let layout: Layout

    /// The log of a devhost.
    public init(layout: Layout) { self.layout = layout }

    /// Adds a line.
    func append(_ entry: Entry) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try Files.createDirectory(layout.state, mode: 0o755)
        try Files.createDirectory(layout.auditFolder, mode: 0o700)
        try Files.append(layout.auditLog, Array(try encoder.encode(entry)) + [UInt8(ascii: "\n")], mode: 0o600)
    }

    /// The entries of the log as it is, the oldest first. Lines that are none (a disk was full, a newer version wrote
    /// them) are left out.
    /// - Throws: `permissionDenied` for others than root; a log that does not exist is empty.
    public func entries() throws -> [Entry] {
        guard Files.exists(layout.auditLog) else { return [] }
        let decoder = JSONDecoder()
        return try Files.read(layout.auditLog, limit: 1 << 30).split(separator: UInt8(ascii: "\n")).compactMap {
            try? decoder.decode(Entry.self, from: Data($0))
        }
    }
}
