extension String {
    /// The text in single quotes as an error or a table shows it: control characters and what could steer a terminal
    /// stand as escapes, and more than 80 characters are cut.
    package var quoted: String {
        let shown = count > 80 ? String(prefix(77)) + "..." : self
        return "'\(shown.printable)'"
    }

    /// The text with control characters, and the invisible characters that reorder text, written as `\u{…}`.
    package var printable: String { escapingControls(keeping: []) }

    /// Like ``printable``, with newlines and tabs kept: for output of guests that is shown to people. What only steers
    /// a terminal (colours, cursor, carriage returns) is left out.
    package var printableLines: String { withoutTerminalControl.escapingControls(keeping: ["\n", "\t"]) }

    /// The text without carriage returns and without control sequences (ECMA-48: ESC '[', parameters, a final byte).
    private var withoutTerminalControl: String {
        var result = String.UnicodeScalarView()
        var rest = unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if scalar == "\r" { continue }
            guard scalar == "\u{1b}", rest.first == "[" else {
                result.append(scalar)
                continue
            }
            rest = rest.dropFirst().drop { ("\u{20}"..."\u{3f}").contains($0) }.dropFirst()
        }
        return String(result)
    }

    private func escapingControls(keeping kept: Set<Unicode.Scalar>) -> String {
        var result = ""
        result.unicodeScalars.reserveCapacity(unicodeScalars.count)
        for scalar in unicodeScalars {
            let isControl =
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: true
                default: false
                }
            if isControl && !kept.contains(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The text as one word for a POSIX shell.
    package var shellQuoted: String {
        let safe = utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "_-./:=@%+,".utf8.contains(byte)
            }
        }
        if safe && !isEmpty { return self }
        return "'" + replacingScalars(["'": #"'\''"#]) + "'"
    }

    /// The text with some of its Unicode scalars written otherwise.
    ///
    /// Whoever reads quoted text looks at bytes. To Swift's `replacing` and `split` a quote with a combining mark behind
    /// it is another character than a quote.
    package func replacingScalars(_ replacements: [Unicode.Scalar: String]) -> String {
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if let replacement = replacements[scalar] {
                result.append(contentsOf: replacement.unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// The text without blanks, tabs and newlines at either end.
    package var trimmed: String {
        let isBlank: (Character) -> Bool = { $0.isWhitespace }
        guard let start = firstIndex(where: { !isBlank($0) }), let end = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(self[start...end])
    }
}
