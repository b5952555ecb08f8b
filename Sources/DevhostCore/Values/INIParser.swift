/// Takes an INI file apart, line by line; in time that grows with the length of the text and no faster.
struct INIParser {
    /// Problems beyond these are only counted.
    private static let problemLimit = 50
    /// How many settings all sections together may take from `[DEFAULT]`: each one is kept once for each section.
    static let inheritedLimit = 100_000

    private struct Pending {
        let key: String
        let line: Int
        let indent: Int
        private var lines: [String]
        /// How many of the lines are known to be the value's; what follows may be no more than what stands behind it.
        private var count = 1
        /// Whether there was an empty line, from which on ConfigUpdater takes lines almost as they are.
        private var isRaw = false

        init(key: String, line: Int, indent: Int, value: String) {
            (self.key, self.line, self.indent) = (key, line, indent)
            lines = [value]
        }

        var value: ArraySlice<String> { lines[..<count] }

        /// Takes a line that may be the value's.
        mutating func add(
            _ line: Substring.UnicodeScalarView, raw: Substring.UnicodeScalarView, isValue: Bool, _ dialect: INIDialect
        ) {
            if line.isEmpty, dialect == .secrets { isRaw = true }
            lines.append(String(isRaw ? raw.drop { $0 == " " } : line))
            if isValue { count = lines.count }
        }
    }

    private enum Place {
        case none
        case section
        case defaults
    }

    private let dialect: INIDialect
    private(set) var sections: [INIDocument.Section] = []
    private(set) var problems: [String] = []
    private var problemCount = 0
    private var defaults: [INIDocument.Entry] = []
    private var place = Place.none
    private var pending: Pending?
    // Bytes: to Swift, texts that only look the same are equal.
    private var sectionLines: [[UInt8]: Int] = [:]
    private var keyLines: [[UInt8]: Int] = [:]
    private var defaultLines: [[UInt8]: Int] = [:]

    init(_ text: String, _ dialect: INIDialect) {
        self.dialect = dialect
        var rest = text.unicodeScalars[...]
        if rest.first == "\u{feff}" {
            fail(1, "the file begins with a byte order mark; save it without")
            rest.removeFirst()
        }
        var number = 0
        while !rest.isEmpty {
            let end = rest.firstIndex(where: dialect.endsLine)
            number += 1
            take(rest[..<(end ?? rest.endIndex)], number)
            guard var next = end else { break }
            let isReturn = rest[next] == "\r"
            rest.formIndex(after: &next)
            if isReturn, next < rest.endIndex, rest[next] == "\n" { rest.formIndex(after: &next) }
            rest = rest[next...]
        }
        finishEntry()
        inherit()
        if problemCount > problems.count { problems.append("and \(problemCount - problems.count) lines more") }
    }

    private mutating func fail(_ line: Int, _ message: String) {
        problemCount += 1
        if problems.count < Self.problemLimit { problems.append("line \(line): \(message)") }
    }

    private mutating func take(_ raw: Substring.UnicodeScalarView, _ number: Int) {
        guard let start = raw.firstIndex(where: { !dialect.isBlank($0) }),
            let end = raw.lastIndex(where: { !dialect.isBlank($0) })
        else {
            pending?.add(raw.prefix(0), raw: raw, isValue: false, dialect)
            return
        }
        let line = raw[start...end]
        let indent =
            dialect == .devhost
            ? raw.prefix { $0 == " " || $0 == "\t" }.count : raw.distance(from: raw.startIndex, to: start)
        let isContinuation = pending.map { indent > $0.indent } ?? false
        if line.first == "#" || line.first == ";" {
            guard dialect == .secrets, pending != nil else { return }
            pending?.add(line, raw: raw, isValue: isContinuation, dialect)
            return
        }
        if line.contains("\0") { fail(number, "there is a NUL, which no setting can hold") }
        if isContinuation {
            pending?.add(line, raw: raw, isValue: true, dialect)
            return
        }
        finishEntry()
        if line.first == "[" {
            takeHeading(line, number)
        } else if let end = line.firstIndex(where: { $0 == "=" || $0 == ":" }), end > line.startIndex {
            takeKey(line[..<end], value: line[line.index(after: end)...], number, indent)
        } else {
            fail(number, "\(String(line).quoted) is neither 'key = value' nor a [section]")
        }
    }

    private mutating func takeHeading(_ line: Substring.UnicodeScalarView, _ number: Int) {
        guard let name = dialect.heading(line) else {
            return fail(number, "\(String(line).quoted) is not a [section]")
        }
        if dialect == .environment && name == "DEFAULT" {
            place = .defaults
            return
        }
        place = .section
        keyLines = [:]
        if let earlier = sectionLines.updateValue(number, forKey: Array(name.utf8)) {
            fail(number, "section [\(name.printable)] stands on line \(earlier) already")
        }
        sections.append(INIDocument.Section(name: name, line: number))
    }

    private mutating func takeKey(
        _ text: Substring.UnicodeScalarView, value: Substring.UnicodeScalarView, _ number: Int, _ indent: Int
    ) {
        let end = text.lastIndex { !dialect.isBlank($0) } ?? text.startIndex
        var key = String(text[...end])
        if dialect == .devhost { key = key.lowercased() }
        let earlier: Int?
        switch place {
        case .none: return fail(number, "\(key.quoted) stands before the first [section]")
        case .section: earlier = keyLines.updateValue(number, forKey: Array(key.utf8))
        case .defaults: earlier = defaultLines.updateValue(number, forKey: Array(key.utf8))
        }
        if let earlier { fail(number, "\(key.quoted) stands on line \(earlier) already") }
        let first = value.firstIndex { !dialect.isBlank($0) }
        pending = Pending(
            key: dialect == .secrets ? key.lowercased() : key, line: number, indent: indent,
            value: first.map { String(value[$0...]) } ?? "")
    }

    private mutating func finishEntry() {
        guard let entry = pending else { return }
        pending = nil
        var lines = entry.value
        if dialect == .devhost { lines = lines.drop(while: \.isEmpty) }
        var value = lines.joined(separator: "\n")
        while dialect == .secrets, let last = value.unicodeScalars.last, dialect.isBlank(last) {
            value.unicodeScalars.removeLast()
        }
        let finished = INIDocument.Entry(key: entry.key, value: value, line: entry.line)
        if place == .defaults {
            defaults.append(finished)
        } else {
            sections[sections.count - 1].entries.append(finished)
        }
    }

    /// Gives every section the settings of `[DEFAULT]` that it does not have itself.
    private mutating func inherit() {
        guard !defaults.isEmpty, !sections.isEmpty else { return }
        guard defaults.count <= Self.inheritedLimit / sections.count else {
            return fail(
                defaults[0].line,
                "[DEFAULT] has \(defaults.count) settings for \(sections.count) sections; together sections take at "
                    + "most \(Self.inheritedLimit)")
        }
        for index in sections.indices {
            let own = Set(sections[index].entries.map { Array($0.key.utf8) })
            for var entry in defaults where !own.contains(Array(entry.key.utf8)) {
                entry.isInherited = true
                sections[index].entries.append(entry)
            }
        }
    }
}
