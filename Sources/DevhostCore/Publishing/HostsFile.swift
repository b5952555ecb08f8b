/// The names of VMs on the devhost itself: a block of /etc/hosts between two marks. What stands outside it is never
/// touched. The host's lock must be held.
struct HostsFile: Sendable {
    let path: String

    static let blockStart = "# begin: managed by fc-devhost"
    static let blockEnd = "# end: managed by fc-devhost"

    /// The lines outside our block, byte by byte as they are, and those inside it.
    /// - Throws: `damaged` for a block without an end: which lines are ours cannot be told.
    private func read() throws -> (outside: [ArraySlice<UInt8>], inside: [Substring]) {
        let content = try Files.readIfPresent(path, limit: 16 << 20)
        var outside: [ArraySlice<UInt8>] = []
        var inside: [Substring] = []
        var isInside = false
        for line in content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.elementsEqual(Self.blockStart.utf8) {
                guard !isInside else { throw endless }
                isInside = true
            } else if isInside, line.elementsEqual(Self.blockEnd.utf8) {
                isInside = false
            } else if isInside {
                inside.append(Substring(decoding: line, as: UTF8.self))
            } else {
                outside.append(line)
            }
        }
        guard !isInside else { throw endless }
        while outside.last?.isEmpty == true { outside.removeLast() }
        return (outside, inside)
    }

    private var endless: DevhostError {
        DevhostError(
            .damaged, "the names of VMs in \(path) begin with the line \(Self.blockStart.quoted) and have no end",
            next: "write the line \(Self.blockEnd.quoted) behind the last of them")
    }

    private static func names(in line: Substring) -> ArraySlice<Substring> {
        line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).dropFirst()
    }

    /// Whether a line that is not ours gives this name an address.
    func isTaken(_ name: VMName) throws -> Bool {
        try read().outside.contains { line in
            Self.names(in: Substring(decoding: line, as: UTF8.self)).contains(Substring(name.description))
        }
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
        var lines = outside
        if !edited.isEmpty {
            let block = ["", Self.blockStart] + edited.map(String.init) + [Self.blockEnd]
            lines += block.map { ArraySlice($0.utf8) }
        }
        let newline = UInt8(ascii: "\n")
        try Files.writeAtomically(path, Array(lines.joined(separator: [newline])) + [newline], mode: 0o644)
    }
}
