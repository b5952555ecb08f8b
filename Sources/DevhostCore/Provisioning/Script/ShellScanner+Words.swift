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
    /// - Parameter isCommandStart: Whether `name[` begins a subscript here, as it does in an assignment.
    mutating func scanWord(isCommandStart: Bool = false) -> Word? {
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
                } else if peek(1) == Ascii.backquote, backquoteDepth > 0 {
                    // Backquotes within backquotes.
                    if backquoteDepth > 1 { break loop }
                    word.expand(splitting: true)
                    offset += 1
                    scanBackquotes()
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
            case UInt8(ascii: "[") where isCommandStart && isName(start..<offset) && skipSubscript():
                word.expand(splitting: false)
            case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), Ascii.openBrace:
                // `[`, `[[` and `{` alone are ordinary words.
                let length = offset == start && starts(with: "[[") ? 2 : 1
                let isWord = byte == UInt8(ascii: "[") || byte == Ascii.openBrace
                let standsAlone = isWord && offset == start && (peek(length) ?? Ascii.space) <= Ascii.space
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
                if byte >= 0x80 { noteInvisible() }
                word.add(byte)
                offset += 1
            }
        }
        offset = min(offset, limit)
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
                let start = offset
                if scanDollar(quotesAreText: true) {
                    word.expand(splitting: isList(start..<min(offset, limit)))
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

    /// Whether an expansion within double quotes can be several words: `$@`, `${@:2}`, `${a[@]/x/y}`, `${!prefix@}`.
    private func isList(_ range: Range<Int>) -> Bool {
        let written = bytes[range].dropFirst()
        guard written.first == Ascii.openBrace else { return written.first == UInt8(ascii: "@") }
        let inner = written.dropFirst()
        if inner.first == UInt8(ascii: "@") || inner.starts(with: "!".utf8) && inner.suffix(2).elementsEqual("@}".utf8)
        {
            return true
        }
        let behindName = inner.drop { Ascii.isName($0) || $0 == UInt8(ascii: "!") }
        return behindName.starts(with: "[@]".utf8)
    }

    /// Reads what a `$` begins; false where it stands for itself.
    /// - Parameter quotesAreText: Whether this stands in double quotes or a here-document.
    @discardableResult
    mutating func scanDollar(quotesAreText: Bool = false) -> Bool {
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
            nest { $0.scanBraces(from: start, quotesAreText: quotesAreText) }
            return true
        }
        if next == UInt8(ascii: "["), skipSubscript() { return true }
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
    private mutating func scanBraces(from start: Int, quotesAreText: Bool) {
        offset += 1
        if let next = peek(), next == Ascii.space || next == Ascii.tab || next == Ascii.newline || next == Ascii.bar {
            // `${ command; }` and `${| command; }`.
            offset += next == Ascii.bar ? 1 : 0
            scanCommands(until: .brace)
            return
        }
        let isIndirect = peek() == UInt8(ascii: "!")
        if isIndirect || (peek() == Ascii.hash && peek(1).map(Ascii.isNameStart) == true) { offset += 1 }
        let name = scanName()
        if peek() == UInt8(ascii: "["), !name.isEmpty { _ = skipSubscript() }
        var operation = peek()
        if operation == UInt8(ascii: ":") { operation = peek(1) }
        if let first = name.utf8.first, !isIndirect, Ascii.isNameStart(first) {
            note(variable: name, isGuarded: operation.map { "-+=?".utf8.contains($0) } ?? false, at: start)
            if operation == UInt8(ascii: "=") { assigned.insert(name) }
        }
        // In double quotes and here-documents, `'` is text but in patterns.
        let apostropheIsText =
            quotesAreText && !(operation.map { "#%/^,".utf8.contains($0) } ?? false && limit == bytes.count)
        while let byte = peek(), byte != Ascii.closeBrace {
            var inner = Word(range: offset..<offset)
            switch byte {
            case Ascii.backslash: offset += 2
            case Ascii.quote where !apostropheIsText: scanSingleQuotes(&inner)
            case Ascii.doubleQuote: scanDoubleQuotes(&inner)
            case Ascii.dollar: scanDollar(quotesAreText: quotesAreText)
            case Ascii.backquote:
                if backquoteDepth > 0 { return }
                scanBackquotes()
            default: offset += 1
            }
        }
        offset += 1
    }

    /// `` `…` ``, from the opening quote on. Those within are written `` \`…\` ``; what is deeper is left to bash.
    mutating func scanBackquotes() {
        offset += 1
        backquoteDepth += 1
        nest { $0.scanCommands(until: .backquote) }
        backquoteDepth -= 1
        // The end of inner ones is escaped; an unescaped one ends the outer ones too.
        if backquoteDepth == 0 { offset += 1 } else if peek() == Ascii.backslash { offset += 2 }
    }

    /// `((…))`, from the first parenthesis on; false, and nothing read, where it is not arithmetic but subshells.
    mutating func skipArithmetic() -> Bool {
        var level = 0
        var index = offset
        while index < limit, lookahead > 0 {
            lookahead -= 1
            switch bytes[index] {
            case Ascii.backslash: index += 1
            case Ascii.open: level += 1
            case Ascii.close:
                level -= 1
                guard level == 1 else { break }
                guard index + 1 < limit, bytes[index + 1] == Ascii.close else { return false }
                let content = (offset + 2)..<index
                noteArithmetic(content)
                nest { $0.scanExpansions(content) }
                offset = index + 2
                return true
            default: break
            }
            index += 1
        }
        return false
    }

    /// The variables that arithmetic can set: each name that stands there without a `$`.
    private mutating func noteArithmetic(_ range: Range<Int>) {
        var index = range.lowerBound
        while index < range.upperBound {
            guard Ascii.isName(bytes[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < range.upperBound, Ascii.isName(bytes[index]) { index += 1 }
            let before = start > 0 ? bytes[start - 1] : Ascii.space
            if before != Ascii.dollar, before != Ascii.openBrace, Ascii.isNameStart(bytes[start]) {
                assigned.insert(text(start..<index))
            }
        }
    }

    private func isName(_ range: Range<Int>) -> Bool {
        guard let first = bytes[range].first else { return false }
        return Ascii.isNameStart(first) && bytes[range].allSatisfy(Ascii.isName)
    }

    /// `[…]` of a subscript or of `$[…]`; false, and nothing read, where its end is not on the same line.
    private mutating func skipSubscript() -> Bool {
        var level = 0
        var index = offset
        while index < limit, bytes[index] != Ascii.newline, lookahead > 0 {
            lookahead -= 1
            switch bytes[index] {
            case Ascii.backslash: index += 1
            case UInt8(ascii: "["): level += 1
            case UInt8(ascii: "]"):
                level -= 1
                guard level == 0 else { break }
                let content = (offset + 1)..<index
                nest { $0.scanExpansions(content) }
                offset = index + 1
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
            offset = limit
            return
        }
        depth += 1
        body(&self)
        depth -= 1
    }
}
