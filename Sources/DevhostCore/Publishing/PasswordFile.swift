/// Names and hashed passwords as `htpasswd -B` writes them, one `name:hash` a line.
struct PasswordFile: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        let name: String
        let hash: String
    }

    let entries: [Entry]

    /// - Throws: `invalidConfiguration` with the lines that are wrong; what stands on them is not told.
    init(_ text: String, source: String) throws(DevhostError) {
        var entries: [Entry] = []
        var wrong: [String] = []
        for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = String(raw).trimmed
            if line.isEmpty || line.hasPrefix("#") { continue }
            let parts = line.split(separator: ":", omittingEmptySubsequences: false)
            if parts.count == 2, Self.isName(parts[0]), Self.isHash(parts[1]),
                !entries.contains(where: { $0.name == parts[0] })
            {
                entries.append(Entry(name: String(parts[0]), hash: String(parts[1])))
            } else {
                wrong.append("\(index + 1)")
            }
        }
        guard wrong.isEmpty else {
            throw DevhostError(
                .invalidConfiguration, "\(source) is not usable: look at line \(wrong.joined(separator: ", "))",
                next: "write each line with 'htpasswd -nB NAME', every name once")
        }
        self.entries = entries
    }

    private static func isName(_ text: Substring) -> Bool {
        (1...64).contains(text.utf8.count) && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f }
    }

    /// bcrypt: `$2y$`, two digits, `$`, and 53 characters of its own base 64.
    private static func isHash(_ text: Substring) -> Bool {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].isEmpty, ["2a", "2b", "2y"].contains(parts[1]), parts[2].utf8.count == 2,
            let cost = Int(parts[2]), (4...20).contains(cost), parts[3].utf8.count == 53
        else { return false }
        return parts[3].utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
    }
}
