/// The files that tell of the use of VMs. What cannot be read counts as nothing seen: the VM is kept, for longer.
struct UseStore: Sendable {
    let layout: Layout

    /// What was seen of a VM; an empty record where nobody has looked yet.
    /// - Returns: The record, and why there is none where the file cannot be read.
    func read(_ name: VMName) -> (use: UseRecord, problem: String?) {
        do {
            let use = try decode(UseRecord.self, layout.use(name)) ?? UseRecord()
            // A life of thousands of years was written by nobody.
            guard [use.idle, use.trashed].allSatisfy({ (0...1e11).contains($0) }) else {
                throw DevhostError(.damaged, "\(layout.use(name)) counts \(use.idle) and \(use.trashed) seconds")
            }
            return (use, nil)
        } catch {
            return (UseRecord(), "what was seen of its use cannot be read: \(error)")
        }
    }

    func write(_ use: UseRecord, of name: VMName) throws {
        try Files.createDirectory(layout.use, mode: 0o755)
        try Files.write(layout.use(name), try JSONCoding.encode(use), mode: 0o644)
    }

    /// Lets a VM that goes into the trash lie there for as long as any other, also where it was there before.
    func forgetTrash(of name: VMName) throws {
        var use = read(name).use
        guard use.trashed != 0 else { return }
        use.trashed = 0
        try write(use, of: name)
    }

    // MARK: Traces that commands leave

    /// Leaves a sign of use, for the next look to find.
    func leave(_ sign: UseSign, of name: VMName, _ date: Timestamp) throws {
        try Files.createDirectory(layout.use, mode: 0o755)
        try Files.write(layout.trace(sign, name), Array("\(date)\n".utf8), mode: 0o644)
    }

    /// The signs that commands left.
    func traces(of name: VMName) throws -> [UseSign: Timestamp] {
        var traces: [UseSign: Timestamp] = [:]
        for sign in [UseSign.login, .undelete] where Files.exists(layout.trace(sign, name)) {
            traces[sign] = try Timestamp(Files.readText(layout.trace(sign, name), limit: 64).trimmed)
        }
        return traces
    }

    // MARK: Notices

    func notice(_ name: VMName) throws -> UseNotice? { try decode(UseNotice.self, layout.notice(name)) }

    func write(_ notice: UseNotice, of name: VMName) throws {
        try Files.createDirectory(layout.use, mode: 0o755)
        try Files.writeAtomically(layout.notice(name), try JSONCoding.encode(notice), mode: 0o644)
    }

    func removeNotice(_ name: VMName) throws { try Files.remove(layout.notice(name)) }

    /// Every notice that holds.
    func notices() throws -> [VMName: UseNotice] {
        var notices: [VMName: UseNotice] = [:]
        for file in try Files.names(in: layout.use) where file.hasSuffix(".notice") {
            guard let name = try? VMName(String(file.dropLast(7))) else { continue }
            notices[name] = try? notice(name)
        }
        return notices
    }

    // MARK: All of it

    /// The VMs of which anything is kept.
    func names() throws -> Set<VMName> {
        Set(try Files.names(in: layout.use).compactMap { file in try? VMName(String(file.prefix { $0 != "." })) })
    }

    /// Forgets a VM.
    func remove(_ name: VMName) throws {
        for path in [layout.use(name), layout.notice(name)] + UseSign.allCases.map({ layout.trace($0, name) }) {
            try Files.remove(path)
        }
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value? {
        guard Files.exists(path) else { return nil }
        do {
            return try JSONCoding.decode(type, from: try Files.read(path, limit: 1 << 20))
        } catch let error as DecodingError {
            throw DevhostError(.damaged, "\(path) cannot be read", underlying: error)
        }
    }
}
