import FoundationEssentials
import Glibc

/// The records of all VMs, one file each. A record that cannot be read spoils no other.
public struct RecordStore: Sendable {
    /// One file of the records' folder.
    public enum Entry: Sendable {
        /// A record that could be read.
        case record(VMRecord)
        /// A file that is no record: its name without `.json`, and why.
        case broken(name: String, reason: DevhostError)

        /// The VM's name, or what stands in its place.
        public var name: String {
            switch self {
            case .record(let record): record.name.description
            case .broken(let name, _): name
            }
        }
    }

    /// The largest record that is written, in bytes: what every version reads.
    static let largest = 1 << 20
    /// The largest record that is read, in bytes. Versions before wrote what a command line of 2 MiB asked for, which JSON
    /// may make six times as long.
    static let largestRead = 16 << 20

    /// Where files lie.
    public let layout: Layout

    /// The records at a place.
    public init(layout: Layout) { self.layout = layout }

    /// The record of a VM; nil where there is none.
    /// - Throws: `damaged` for a file that cannot be read as a record.
    public func find(_ name: VMName) throws -> VMRecord? {
        do {
            return try read(name, as: VMRecord.self)
        } catch let error as DevhostError where error.code == .notFound {
            return nil
        }
    }

    /// The record of a VM that must exist, and not in the trash.
    /// - Throws: `notFound`, `conflict` for a VM in the trash, and `damaged` for a file that cannot be read as a record.
    public func require(_ name: VMName) throws -> VMRecord {
        guard let record = try find(name) else {
            throw DevhostError(.notFound, "there is no VM \(name)", next: "see 'fc-devhost list'")
        }
        try Self.checkIsNotTrashed(record)
        return record
    }

    /// - Throws: `conflict` for a VM in the trash.
    static func checkIsNotTrashed(_ record: VMRecord) throws {
        guard let trashed = record.trashed else { return }
        throw DevhostError(
            .conflict, "\(record.name) is in the trash since \(trashed)",
            next: "have it back with 'fc-devhost undelete \(record.name)', or be rid of it with 'fc-devhost destroy "
                + "\(record.name)'")
    }

    private func read<Record: Decodable>(_ name: VMName, as type: Record.Type) throws -> Record {
        let path = layout.record(name)
        let content = try Files.read(path, limit: Self.largestRead)
        let decoder = JSONDecoder()
        if let key = VMRecord.nameKey { decoder.userInfo[key] = name }
        do {
            return try decoder.decode(type, from: Data(content))
        } catch {
            throw DevhostError(
                .damaged, "the record \(path) cannot be read: \(Self.reason(error))",
                next: "mend the file, or take the VM away with 'fc-devhost destroy \(name)'")
        }
    }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        func describe(_ context: DecodingError.Context) -> String {
            let keys = context.codingPath.map(\.stringValue).joined(separator: ".")
            let text = context.debugDescription.printable
            return keys.isEmpty ? text : "\(keys): \(text)"
        }
        return switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            describe(context)
        @unknown default: "\(error)"
        }
    }

    /// All records and all files that should be one, sorted by name.
    /// - Throws: `permissionDenied` and the like for the folder; no record makes it throw.
    public func all() throws -> [Entry] {
        try map(as: VMRecord.self) { name, record in
            switch record {
            case .success(let record): .record(record)
            case .failure(let reason): .broken(name: name, reason: reason)
            }
        }
    }

    /// The names and owners of all VMs, sorted by name, without the cost of ``all()``, which looks at every value.
    /// - Throws: As ``all()``.
    public func headings() throws -> [VMHeading] {
        try map(as: VMHeading.Content.self) { name, content in
            switch content {
            case .success(let content): VMHeading(name: name, owner: content.owner, problem: nil)
            case .failure(let reason): VMHeading(name: name, owner: salvaged(name)?.owner, problem: reason.description)
            }
        }
    }

    /// What each VM takes of the devhost, by what can still be told where its record cannot be read.
    /// - Throws: As ``all()``.
    func uses() throws -> [VMUsage] {
        try map(as: VMUsage.Content.self) { name, content in
            (try? content.get().use) ?? salvaged(name).map { VMUsage($0) }
        }.compactMap { $0 }
    }

    /// What the file of a VM still tells that cannot be read as a record.
    func salvaged(_ name: VMName) -> VMRecord {
        let file = try? FileDescriptor.open(layout.record(name), O_RDONLY | O_NONBLOCK)
        let content = (try? file?.read(upTo: Self.largestRead, path: layout.record(name))) ?? []
        return RecordSalvage(content).record(name)
    }

    private func salvaged(_ text: String) -> VMRecord? { (try? VMName(text)).map { salvaged($0) } }

    /// What the files still tell that cannot be read as records.
    /// - Throws: As ``all()``.
    func salvaged() throws -> [VMRecord] {
        try all().compactMap { if case .broken(let name, _) = $0 { salvaged(name) } else { nil } }
    }

    private func map<Record: Decodable & SendableMetatype, Value: Sendable>(
        as type: Record.Type, _ transform: @Sendable (String, Result<Record, DevhostError>) -> Value
    ) throws -> [Value] {
        try Files.names(in: layout.records).filter { $0.hasSuffix(".json") }.parallelMap { file -> Value? in
            let text = String(file.dropLast(5))
            do {
                let name = try VMName(text)
                return transform(text, .success(try read(name, as: type)))
            } catch let error as DevhostError where error.code == .notFound {
                // Destroyed since the folder was read.
                return nil
            } catch {
                return transform(text.printable, .failure(.wrapping(error, "cannot read \(file.quoted)")))
            }
        }.compactMap { $0 }
    }

    /// Every record that can be read.
    public func readable() throws -> [VMRecord] {
        try all().compactMap { if case .record(let record) = $0 { record } else { nil } }
    }

    /// Writes a record, readable for everybody: batou reads it over ssh as an ordinary user.
    /// - Throws: `refused` for one that is too large to be read again. One that an older version let grow past that may
    ///   be written, so that its VM can be stopped and taken away.
    func save(_ record: VMRecord) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try Files.createDirectory(layout.records, mode: 0o755)
        let content = try encoder.encode(record) + [UInt8(ascii: "\n")]
        let path = layout.record(record.name)
        if content.count > Self.largest {
            let isLarge = ((try? Files.size(path)) ?? 0) > UInt64(Self.largest)
            guard isLarge, content.count <= Self.largestRead else {
                throw DevhostError(
                    .refused,
                    "the record of \(record.name) would have \(content.count) bytes, where \(Self.largest) can be read",
                    next: "give fewer authorized keys and aliases, or shorter ones")
            }
        }
        try Files.writeAtomically(path, Array(content), mode: 0o644)
    }

    /// Removes a record; one that does not exist is as good.
    func remove(_ name: VMName) throws { try Files.remove(layout.record(name)) }
}
