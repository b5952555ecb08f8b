/// By whose rules an INI file is read, where the programs that read such files differ.
public enum INIDialect: Sendable {
    /// devhost.cfg: keys mean the same whatever their case, a heading is alone on its line, every Unicode line break ends
    /// a line, and a value has no blanks or newlines at either end.
    case devhost
    /// environment.cfg as batou has Python's `RawConfigParser` read it: keys differ by case, what stands behind the last
    /// `]` of a heading is no part of it, the settings of `[DEFAULT]` hold in every section, only CR and LF end a line,
    /// and a value that begins on its second line begins with a newline.
    case environment
    /// The secrets of an environment as batou has the package ConfigUpdater read them: like ``environment``, but keys are
    /// in lower case, `[DEFAULT]` is a section like others, only LF ends a line, a comment within a value that goes on
    /// behind it is a line of the value, and from the first empty line of a value on its lines lose only the blanks (no
    /// tabs) before them. (ConfigUpdater loses what stands behind a comment with an empty line behind that; it is kept.)
    case secrets

    /// Python's `str.isspace`, or Unicode's property White_Space, which lacks the four information separators.
    func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || self != .devhost && ("\u{1c}"..."\u{1f}").contains(scalar)
    }

    func endsLine(_ scalar: Unicode.Scalar) -> Bool {
        switch self {
        case .devhost:
            ("\u{0a}"..."\u{0d}").contains(scalar) || "\u{85}\u{2028}\u{2029}".unicodeScalars.contains(scalar)
        case .environment: scalar == "\n" || scalar == "\r"
        case .secrets: scalar == "\n"
        }
    }

    /// The name in a line that begins with a bracket; nil where it is no heading.
    func heading(_ line: Substring.UnicodeScalarView) -> String? {
        let content = line.dropFirst()
        let end: Substring.UnicodeScalarView.Index?
        switch self {
        case .devhost: end = line.last == "]" ? line.index(before: line.endIndex) : nil
        case .environment, .secrets: end = content.lastIndex(of: "]")
        }
        guard let end, end > content.startIndex else { return nil }
        return String(content[..<end])
    }
}
