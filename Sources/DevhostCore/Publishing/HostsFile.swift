/// The names of VMs on the devhost itself: a block of /etc/hosts between two marks. What stands outside it is never
/// touched. The host's lock must be held.
struct HostsFile: Sendable {
    let path: String

    static let blockStart = "# begin: managed by fc-devhost"
    static let blockEnd = "# end: managed by fc-devhost"

    /// The lines outside our block, and those inside it.
    private func read() throws -> (outside: [Substring], inside: [Substring]) {
        let text = try optionalText()
        var outside: [Substring] = []
        var inside: [Substring] = []
        var isInside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == Self.blockStart {
                isInside = true
            } else if line == Self.blockEnd {
                isInside = false
            } else if isInside {
                inside.append(line)
            } else {
                outside.append(line)
            }
        }
        while outside.last?.isEmpty == true { outside.removeLast() }
        return (outside, inside)
    }

    private func optionalText() throws -> String {
        do {
            return try Files.readText(path, limit: 16 << 20)
        } catch let error as DevhostError where error.code == .notFound {
            return ""
        }
    }

    private static func names(in line: Substring) -> ArraySlice<Substring> {
        line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).dropFirst()
    }

    /// Whether a line that is not ours gives this name an address.
    func isTaken(_ name: VMName) throws -> Bool {
        try read().outside.contains { Self.names(in: $0).contains(Substring(name.description)) }
    }

    /// The names in our block with their addresses.
    func entries() throws -> [String: Set<String>] {
        var entries: [String: Set<String>] = [:]
        for line in try read().inside {
            guard let address = line.split(whereSeparator: \.isWhitespace).first else { continue }
            for name in Self.names(in: line) { entries[String(name), default: []].insert(String(address)) }
        }
        return entries
    }

    /// Whether our block gives a VM's name exactly these addresses.
    func holds(_ name: VMName, addresses: [String]) throws -> Bool {
        let lines = try read().inside.filter { Self.names(in: $0).contains(Substring(name.description)) }
        return Set(lines) == Set(addresses.map { Self.line(name, $0) })
    }

    private static func line(_ name: VMName, _ address: String) -> Substring { "\(address) \(name)" }

    /// Gives a VM's name its addresses; the file is left alone where it says so already.
    func publish(_ name: VMName, addresses: [String]) throws {
        try change { lines in
            lines.filter { !Self.names(in: $0).contains(Substring(name.description)) }
                + addresses.map { Self.line(name, $0) }
        }
    }

    /// Takes a VM's name away.
    func withdraw(_ name: VMName) throws {
        try change { lines in lines.filter { !Self.names(in: $0).contains(Substring(name.description)) } }
    }

    private func change(_ edit: ([Substring]) -> [Substring]) throws {
        let (outside, inside) = try read()
        let edited = edit(inside).sorted()
        guard edited != inside.sorted() else { return }
        var lines = outside.map(String.init)
        if !edited.isEmpty { lines += ["", Self.blockStart] + edited.map(String.init) + [Self.blockEnd] }
        try Files.writeAtomically(path, Array((lines.joined(separator: "\n") + "\n").utf8), mode: 0o644)
    }
}
