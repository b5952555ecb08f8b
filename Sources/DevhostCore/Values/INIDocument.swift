/// An INI file as Python's configparser reads it: `[section]`, `key = value` or `key: value`, indented lines continue
/// the value, `#` and `;` start a comment line. Keys are compared in lower case.
public struct INIDocument: Sendable {
    /// One `key = value` with the line it stands on.
    public struct Entry: Sendable, Hashable {
        /// The key in lower case.
        public let key: String
        /// The value, without blanks at either end; continuation lines are joined by newlines.
        public let value: String
        /// The line of the key, counted from 1.
        public let line: Int
    }

    /// One section with its entries in the order of the file.
    public struct Section: Sendable, Hashable {
        /// The name between the brackets.
        public let name: String
        /// The line of the heading, counted from 1.
        public let line: Int
        /// The entries.
        public internal(set) var entries: [Entry] = []

        /// The entry with this key.
        public subscript(key: String) -> Entry? { entries.first { $0.key == key } }
    }

    /// The sections in the order of the file.
    public private(set) var sections: [Section] = []

    /// The section with this name.
    public subscript(name: String) -> Section? { sections.first { $0.name == name } }

    /// Parses a document.
    /// - Parameters:
    ///   - text: The content of the file.
    ///   - source: The file's name, for errors.
    /// - Throws: `invalidConfiguration` that names every line that cannot be read, and every section and key that
    ///   stands twice.
    public init(_ text: String, source: String) throws(DevhostError) {
        var problems: [String] = []
        var pending: (key: String, lines: [String], line: Int, indent: Int)?

        func finishEntry() {
            guard let entry = pending else { return }
            pending = nil
            let value = entry.lines.joined(separator: "\n").trimmed
            sections[sections.count - 1].entries.append(Entry(key: entry.key, value: value, line: entry.line))
        }

        for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let number = index + 1
            let line = String(raw).trimmed
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.isEmpty {
                pending?.lines.append("")
                continue
            }
            let indent = raw.prefix { $0 == " " || $0 == "\t" }.count
            if let entry = pending, indent > entry.indent {
                pending?.lines.append(line)
                continue
            }
            finishEntry()
            if line.hasPrefix("[") {
                guard line.hasSuffix("]"), line.count > 2 else {
                    problems.append("line \(number): \(line.quoted) is not a [section]")
                    continue
                }
                let name = String(line.dropFirst().dropLast())
                if let earlier = self[name] {
                    problems.append(
                        "line \(number): section [\(name.printable)] stands on line \(earlier.line) already")
                }
                sections.append(Section(name: name, line: number))
            } else if let end = line.firstIndex(where: { $0 == "=" || $0 == ":" }), end > line.startIndex {
                let key = String(line[..<end]).trimmed.lowercased()
                guard let section = sections.last else {
                    problems.append("line \(number): \(key.quoted) stands before the first [section]")
                    continue
                }
                if let earlier = section[key] {
                    problems.append("line \(number): \(key.quoted) stands on line \(earlier.line) already")
                }
                pending = (key, [String(line[line.index(after: end)...]).trimmed], number, indent)
            } else {
                problems.append("line \(number): \(line.quoted) is neither 'key = value' nor a [section]")
            }
        }
        finishEntry()
        guard problems.isEmpty else {
            throw DevhostError(
                .invalidConfiguration, "cannot read \(source): " + problems.joined(separator: "; "),
                next: "mend these lines")
        }
    }
}
