/// Breaks text into lines for the help.
enum TextLayout {
    /// How wide the help is.
    static let width = 80

    /// The text in lines of at most ``width``, each indented; words that are too long stand alone.
    static func wrapped(_ text: String, indent: Int = 0) -> String {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = ""
        for word in text.split(whereSeparator: \.isWhitespace) {
            if !line.isEmpty, indent + line.count + 1 + word.count > width {
                lines.append(margin + line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        if !line.isEmpty { lines.append(margin + line) }
        return lines.map { $0 + "\n" }.joined()
    }

    /// Terms and their meanings, the meanings aligned in a column of their own.
    static func definitions(_ rows: [(term: String, meaning: String)]) -> String {
        let longest = rows.map(\.term.count).max() ?? 0
        let column = min(longest, 24) + 4
        return rows.map { term, meaning in
            let body = wrapped(meaning, indent: column)
            guard term.count + 4 <= column, !body.isEmpty else { return "  \(term)\n" + body }
            return "  " + term + body.dropFirst(term.count + 2)
        }.joined()
    }
}
