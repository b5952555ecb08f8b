/// The files of the templates that new VMs start from. A record names memory and overlay by their digests, so whoever
/// reads the three while they are replaced notices.
struct TemplateStore: Sendable {
    let layout: Layout

    private static let largestRecord = 1 << 16

    /// The template of this name; nil where there is none, or none that can be read.
    func record(_ key: String) -> TemplateRecord? {
        guard let content = try? Files.read(layout.templateRecord(key), limit: Self.largestRecord) else { return nil }
        return try? JSONCoding.decode(TemplateRecord.self, from: content)
    }

    /// All templates that are complete.
    func records() throws -> [String: TemplateRecord] {
        var records: [String: TemplateRecord] = [:]
        for key in try keys() { records[key] = record(key) }
        return records
    }

    /// The names under which there is any file, complete or not.
    func keys() throws -> [String] {
        let keys = try Files.names(in: layout.templates).map { String($0.prefix { $0 != "." }) }
        return Set(keys.filter(Self.isKey)).sorted()
    }

    /// Whether this is the name of a template.
    static func isKey(_ text: String) -> Bool {
        text.utf8.count == 16 && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    }

    func write(_ record: TemplateRecord, _ key: String) throws {
        try Files.writeAtomically(layout.templateRecord(key), try JSONCoding.encode(record), mode: 0o600)
    }

    /// Removes all files of a template, what makes it complete first.
    func remove(_ key: String) throws {
        try Files.remove(layout.templateRecord(key))
        for name in try Files.names(in: layout.templates) where name.hasPrefix("\(key).") {
            try Files.remove("\(layout.templates)/\(name)")
        }
    }

    /// Changes what is noted of a template, where it is still there.
    func update(_ key: String, _ change: (inout TemplateRecord) -> Void) throws {
        guard var record = record(key) else { return }
        change(&record)
        try write(record, key)
    }
}
