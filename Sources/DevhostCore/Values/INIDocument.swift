/// An INI file as Python's configparser reads it: `[section]`, `key = value` or `key: value`, indented lines continue
/// the value, `#` and `;` start a comment line. Where readers differ, the ``INIDialect`` says which is followed.
///
/// Unlike Python, all dialects refuse a line that begins with `[` and has no `]`, which configparser takes for a key
/// where a `=` or `:` follows, and a NUL.
public struct INIDocument: Sendable {
    /// One `key = value` with the line it stands on.
    public struct Entry: Sendable, Hashable {
        /// The key: as it is written in ``INIDialect/environment``, else in lower case.
        public let key: String
        /// The value, without blanks at its end; continuation lines are joined by newlines.
        public let value: String
        /// The line of the key, counted from 1.
        public let line: Int
        /// Whether it stands in `[DEFAULT]` and not in the section itself.
        public internal(set) var isInherited = false
    }

    /// One section with its entries in the order of the file, and behind them those of `[DEFAULT]`.
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
    public let sections: [Section]

    /// The section with this name.
    public subscript(name: String) -> Section? { sections.first { $0.name == name } }

    /// Parses a document.
    /// - Parameters:
    ///   - text: The content of the file.
    ///   - source: The file's name, for errors.
    ///   - dialect: By whose rules it is read.
    /// - Throws: `invalidConfiguration` that names the lines that cannot be read, and the sections and keys that stand
    ///   twice; the first 50 of them.
    public init(_ text: String, source: String, dialect: INIDialect = .devhost) throws(DevhostError) {
        let parser = INIParser(text, dialect)
        guard parser.problems.isEmpty else {
            throw DevhostError(
                .invalidConfiguration, "cannot read \(source): " + parser.problems.joined(separator: "; "),
                next: "mend these lines")
        }
        sections = parser.sections
    }
}
