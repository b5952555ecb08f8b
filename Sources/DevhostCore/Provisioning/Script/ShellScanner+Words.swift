extension ShellScanner {
    /// One word, as written and as far as it is known.
    struct Word {
        var range: Range<Int>
        var literal: [UInt8] = []
        var isLiteral = true
        var isQuoted = false
        var canSplit = false

        /// The word's value if nothing in it is quoted or expanded: only such a word can be a reserved word.
        var bareText: String? { isLiteral && !isQuoted ? String(decoding: literal, as: UTF8.self) : nil }
        var literalText: String? { isLiteral ? String(decoding: literal, as: UTF8.self) : nil }

        mutating func add(_ byte: UInt8) {
            if isLiteral { literal.append(byte) }
        }

        mutating func expand(splitting: Bool) {
            isLiteral = false
            canSplit = canSplit || splitting
        }
    }

    func argument(_ word: Word) -> ProvisionScript.Argument {
        ProvisionScript.Argument(
            text: text(word.range), literalPrefix: String(decoding: word.literal, as: UTF8.self),
            isLiteral: word.isLiteral, canSplit: word.canSplit, position: position(of: word.range.lowerBound))
    }

    /// Reads the word that begins here; nil where none does.
    mutating func scanWord() -> Word? {
        let start = offset
        var word = Word(range: start..<start)
        loop: while let byte = peek() {
            switch byte {
            case Ascii.space, Ascii.tab, Ascii.newline, Ascii.semicolon, Ascii.ampersand, Ascii.bar, Ascii.close:
                break loop
            case Ascii.carriageReturn where peek(1) == Ascii.newline:
                break loop
            case Ascii.less, Ascii.greater:
                guard peek(1) == Ascii.open else { break loop }
                offset += 2
                word.expand(splitting: false)
                nest { $0.scanCommands(until: .parenthesis) }
                offset += 1
            case Ascii.open:
                // A pattern such as @(a|b); anywhere else a parenthesis ends the word.
                guard let last = bytes[start..<offset].last, "?*+@!".utf8.contains(last) else { break loop }
                word.expand(splitting: true)
                skipParentheses()
            case Ascii.backslash:
                if peek(1) == Ascii.newline {
                    offset += 2
                } else {
                    word.isQuoted = true
                    if let next = peek(1) { word.add(next) }
                    offset += 2
                }
            case Ascii.quote: scanSingleQuotes(&word)
            case Ascii.doubleQuote: scanDoubleQuotes(&word)
            case Ascii.dollar:
                switch peek(1) {
                case Ascii.quote:
                    offset += 1
                    scanEscapedQuotes(&word)
                case Ascii.doubleQuote:
                    offset += 1
                    scanDoubleQuotes(&word)
                default:
                    if scanDollar() { word.expand(splitting: true) } else { word.add(Ascii.dollar) }
                }
            case Ascii.backquote:
                if backquoteDepth > 0 { break loop }
                word.expand(splitting: true)
                scanBackquotes()
            case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), Ascii.openBrace:
                // `[`, `[[` and `{` alone are ordinary words.
                let length = offset == start && starts(with: "[[") ? 2 : 1
                let standsAlone = offset == start && (peek(length) ?? Ascii.space) <= Ascii.space
                for _ in 0..<length { word.add(byte) }
                if !standsAlone {
                    word.literal.removeLast(word.isLiteral ? length : 0)
                    word.expand(splitting: true)
                }
                offset += length
            case UInt8(ascii: "~") where offset == start:
                word.expand(splitting: false)
                offset += 1
            default:
                word.add(byte)
                offset += 1
            }
        }
        offset = min(offset, bytes.count)
        guard offset > start else { return nil }
        word.range = start..<offset
        return word
    }

    private mutating func scanSingleQuotes(_ word: inout Word) {
        word.isQuoted = true
        offset += 1
        while let byte = peek(), byte != Ascii.quote {
            word.add(byte)
            offset += 1
        }
        offset += 1
    }

    /// `$'…'`: a backslash protects what follows; its value is left to bash unless there is none.
    private mutating func scanEscapedQuotes(_ word: inout Word) {
        word.isQuoted = true
        offset += 1
        while let byte = peek(), byte != Ascii.quote {
            if byte == Ascii.backslash {
                word.expand(splitting: false)
                offset += 1
            }
            word.add(byte)
            offset += 1
        }
        offset += 1
    }

    private mutating func scanDoubleQuotes(_ word: inout Word) {
        word.isQuoted = true
        offset += 1
        while let byte = peek(), byte != Ascii.doubleQuote {
            switch byte {
            case Ascii.backslash:
                if let next = peek(1), next != Ascii.newline {
                    if !#"$`"\"#.utf8.contains(next) { word.add(Ascii.backslash) }
                    word.add(next)
                }
                offset += 2
            case Ascii.dollar:
                let isList = starts(with: "$@") || starts(with: "${@")
                let start = offset
                if scanDollar() {
                    word.expand(splitting: isList || text(start..<min(offset, bytes.count)).hasSuffix("[@]}"))
                } else {
                    word.add(Ascii.dollar)
                }
            case Ascii.backquote:
                if backquoteDepth > 0 { return }
                word.expand(splitting: false)
                scanBackquotes()
            default:
                word.add(byte)
                offset += 1
            }
        }
        offset += 1
    }

    /// Reads what a `$` begins; false where it stands for itself.
    @discardableResult
    mutating func scanDollar() -> Bool {
        let start = offset
        offset += 1
        guard let next = peek() else { return false }
        if next == Ascii.open {
            if peek(1) == Ascii.open, skipArithmetic() { return true }
            offset += 1
            nest { $0.scanCommands(until: .parenthesis) }
            offset += 1
            return true
        }
        if next == Ascii.openBrace {
            scanBraces(from: start)
            return true
        }
        if Ascii.isNameStart(next) {
            let name = scanName()
            note(variable: name, isGuarded: false, at: start)
            return true
        }
        if Ascii.isDigit(next) || "@*#?$!-".utf8.contains(next) {
            offset += 1
            return true
        }
        return false
    }

    mutating func scanName() -> String {
        let start = offset
        while let byte = peek(), Ascii.isName(byte) { offset += 1 }
        return text(start..<offset)
    }

    private mutating func note(variable name: String, isGuarded: Bool, at index: Int) {
        variables.append(
            ProvisionScript.VariableUse(name: name, isGuarded: isGuarded, position: position(of: index)))
    }

    /// `${…}`, from the opening brace on.
    private mutating func scanBraces(from start: Int) {
        offset += 1
        let isIndirect = peek() == UInt8(ascii: "!")
        if isIndirect || (peek() == Ascii.hash && peek(1).map(Ascii.isNameStart) == true) { offset += 1 }
        let name = scanName()
        var operation = peek()
        if operation == UInt8(ascii: ":") { operation = peek(1) }
        if let first = name.utf8.first, !isIndirect, Ascii.isNameStart(first) {
            note(variable: name, isGuarded: operation.map { "-+=?".utf8.contains($0) } ?? false, at: start)
            if operation == UInt8(ascii: "=") { assigned.insert(name) }
        }
        while let byte = peek(), byte != Ascii.closeBrace {
            var inner = Word(range: offset..<offset)
            switch byte {
            case Ascii.backslash: offset += 2
            case Ascii.quote: scanSingleQuotes(&inner)
            case Ascii.doubleQuote: scanDoubleQuotes(&inner)
            case Ascii.dollar: scanDollar()
            case Ascii.backquote:
                if backquoteDepth > 0 { return }
                scanBackquotes()
            default: offset += 1
            }
        }
        offset += 1
    }

    /// `` `…` ``, from the opening quote on. Inner ones are escaped in a way that only bash unravels.
    mutating func scanBackquotes() {
        offset += 1
        backquoteDepth += 1
        nest { $0.scanCommands(until: .backquote) }
        backquoteDepth -= 1
        offset += 1
    }

    /// `((…))`, from the first parenthesis on; false, and nothing read, where it is not arithmetic but subshells.
    mutating func skipArithmetic() -> Bool {
        var level = 0
        var index = offset
        while index < bytes.count {
            switch bytes[index] {
            case Ascii.backslash: index += 1
            case Ascii.open: level += 1
            case Ascii.close:
                level -= 1
                guard level == 1 else { break }
                guard index + 1 < bytes.count, bytes[index + 1] == Ascii.close else { return false }
                nest { $0.scanExpansions(($0.offset + 2)..<index) }
                offset = max(offset, index + 2)
                return true
            default: break
            }
            index += 1
        }
        return false
    }

    private mutating func skipParentheses() {
        var level = 0
        while let byte = peek() {
            offset += 1
            if byte == Ascii.backslash { offset += 1 }
            if byte == Ascii.open { level += 1 }
            if byte == Ascii.close {
                level -= 1
                if level == 0 { return }
            }
        }
    }

    /// Goes one level deeper, unless that is deeper than any script written by people.
    mutating func nest(_ body: (inout ShellScanner) -> Void) {
        guard depth < Self.depthLimit else {
            offset = bytes.count
            return
        }
        depth += 1
        body(&self)
        depth -= 1
    }
}
