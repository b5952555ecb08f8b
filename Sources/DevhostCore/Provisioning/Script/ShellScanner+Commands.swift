extension ShellScanner {
    /// What has been read of one simple command.
    private struct Command {
        var name: Word?
        var arguments: [Word] = []
        var redirections: [ProvisionScript.Redirection] = []
    }

    /// What comes next in a `case` whose `esac` is still to come.
    private enum CaseState {
        /// A pattern, or `esac`.
        case start
        /// More of a pattern: here `esac` is a word like any other.
        case pattern
        /// The commands of a pattern.
        case commands
    }

    /// Words after which another command begins.
    private static let openers: Set<String> = ["if", "then", "elif", "else", "while", "until", "do", "{", "!"]
    /// Words that end a compound command.
    private static let closers: Set<String> = ["fi", "done", "esac", "}"]
    /// Commands whose arguments can be assignments.
    private static let declarations: Set<String> = ["export", "declare", "typeset", "local", "readonly"]

    /// Reads commands up to the given end, and leaves it unread.
    mutating func scanCommands(until end: End) {
        var command = Command()
        // Cases whose `esac` is still to come, innermost last: whether a pattern comes next.
        var cases: [CaseState] = []
        // The groups that are open, which matter where a brace ends the list.
        var braces = 0
        loop: while let byte = peek() {
            switch byte {
            case Ascii.space, Ascii.tab, Ascii.carriageReturn: skipBlanks()
            case Ascii.backslash where peek(1) == Ascii.newline: skipBlanks()
            case Ascii.backslash where end == .backquote && backquoteDepth > 1 && peek(1) == Ascii.backquote:
                break loop
            case Ascii.closeBrace where end == .brace && command.name == nil && braces == 0:
                offset += 1
                break loop
            case Ascii.hash: skipComment()
            case Ascii.newline:
                finish(&command)
                skipNewline()
            case Ascii.semicolon:
                finish(&command)
                let endsCase = peek(1) == Ascii.semicolon || peek(1) == Ascii.ampersand
                offset += 1
                if endsCase {
                    while peek() == Ascii.semicolon || peek() == Ascii.ampersand { offset += 1 }
                    if !cases.isEmpty { cases[cases.count - 1] = .start }
                }
            case Ascii.ampersand:
                if peek(1) == Ascii.greater {
                    scanRedirection(into: &command)
                } else {
                    finish(&command)
                    offset += peek(1) == Ascii.ampersand ? 2 : 1
                }
            case Ascii.bar:
                finish(&command)
                offset += peek(1) == Ascii.bar || peek(1) == Ascii.ampersand ? 2 : 1
            case Ascii.close:
                finish(&command)
                if let last = cases.last, last != .commands {
                    cases[cases.count - 1] = .commands
                    offset += 1
                } else if end == .parenthesis || end == .script {
                    break loop
                } else {
                    offset += 1
                }
            case Ascii.backquote where end == .backquote:
                break loop
            case Ascii.open:
                if let last = cases.last, last != .commands {
                    cases[cases.count - 1] = .pattern
                    offset += 1
                } else {
                    scanParenthesis(&command)
                }
            case Ascii.less where peek(1) != Ascii.open, Ascii.greater where peek(1) != Ascii.open:
                scanRedirection(into: &command)
            default:
                if end == .brace, command.name == nil {
                    let isSeparate = (peek(1) ?? Ascii.space) <= Ascii.space
                    if byte == Ascii.openBrace, isSeparate { braces += 1 }
                    if byte == Ascii.closeBrace { braces -= 1 }
                }
                scanCommandWord(into: &command, cases: &cases)
            }
        }
        finish(&command)
    }

    /// A parenthesis outside of words: a function's, arithmetic, or a subshell.
    private mutating func scanParenthesis(_ command: inout Command) {
        if let name = command.name {
            offset += 1
            skipBlanks()
            if peek() == Ascii.close { offset += 1 }
            if command.arguments.isEmpty, let text = name.bareText { functions.insert(text) }
            // `name ( )` defines a function: its body is the next command.
            command = Command()
            return
        }
        if peek(1) == Ascii.open, skipArithmetic() { return }
        offset += 1
        nest { $0.scanCommands(until: .parenthesis) }
        offset += 1
    }

    private mutating func scanCommandWord(into command: inout Command, cases: inout [CaseState]) {
        let start = offset
        guard let word = scanWord(isCommandStart: command.name == nil) else {
            offset += 1
            return
        }
        if let last = cases.last, last != .commands {
            if last == .start, word.bareText == "esac" { cases.removeLast() } else { cases[cases.count - 1] = .pattern }
            return
        }
        let written = bytes[word.range]
        if let byte = peek(), byte == Ascii.less || byte == Ascii.greater,
            written.allSatisfy(Ascii.isDigit) || isDescriptorVariable(written)
        {
            if written.first == Ascii.openBrace {
                assigned.insert(String(decoding: written.dropFirst().dropLast(), as: UTF8.self))
            }
            scanRedirection(into: &command, from: start)
            return
        }
        if command.name != nil {
            if let name = command.name?.bareText, Self.declarations.contains(name) { noteAssignment(word) }
            skipArrayValue(after: word)
            command.arguments.append(word)
            return
        }
        if noteAssignment(word) {
            skipArrayValue(after: word)
            return
        }
        guard let text = word.bareText else {
            command.name = word
            return
        }
        switch text {
        case "time":
            skipBlanks()
            for option: StaticString in ["-p", "--"]
            where starts(with: option) && (peek(2) ?? Ascii.space) <= Ascii.space {
                offset += 2
                skipBlanks()
            }
        case _ where Self.openers.contains(text): break
        case _ where Self.closers.contains(text):
            if text == "esac", !cases.isEmpty { cases.removeLast() }
        case "case":
            skipBlanks()
            _ = scanWord()
            skipToWord("in")
            cases.append(.start)
        case "for", "select":
            skipBlanks()
            if peek() == Ascii.open, skipArithmetic() { return }
            if let variable = scanWord()?.bareText { assigned.insert(variable) }
            skipBlanks()
            // Without `in`, the loop goes over the script's own arguments.
            if starts(with: "in"), (peek(2) ?? Ascii.newline) <= Ascii.space || peek(2) == Ascii.semicolon {
                scanList()
            }
        case "function":
            skipBlanks()
            if let name = scanWord()?.bareText { functions.insert(name) }
            skipBlanks()
            if starts(with: "()") { offset += 2 }
        case "coproc": scanCoprocessName()
        case "[[": scanTest()
        default: command.name = word
        }
    }

    private func isDescriptorVariable(_ written: ArraySlice<UInt8>) -> Bool {
        guard written.first == Ascii.openBrace, written.last == Ascii.closeBrace, written.count > 2 else {
            return false
        }
        return Ascii.isNameStart(written[written.startIndex + 1])
            && written.dropFirst().dropLast().allSatisfy(Ascii.isName)
    }

    /// The name of a coprocess, which stands only before a compound command.
    private mutating func scanCoprocessName() {
        skipBlanks()
        let start = offset
        let name = scanName()
        skipBlanks()
        let compound: [StaticString] = ["{", "(", "if", "while", "until", "for", "case", "[["]
        if !name.isEmpty, offset > start + name.utf8.count, compound.contains(where: { starts(with: $0) }) {
            assigned.insert(name)
        } else {
            offset = start
        }
    }

    /// The words of `for NAME in …`.
    private mutating func scanList() {
        while let byte = peek(), byte != Ascii.newline, byte != Ascii.semicolon {
            skipBlanks()
            if peek() == Ascii.hash { return skipComment() }
            if scanWord() == nil {
                guard let byte = peek(), byte != Ascii.newline, byte != Ascii.semicolon else { return }
                offset += 1
            }
        }
    }

    /// `[[ … ]]`, behind the opening word: its operators are no redirections and no pipes.
    private mutating func scanTest() {
        while let byte = peek() {
            if byte == Ascii.newline {
                skipNewline()
            } else if byte <= Ascii.space {
                offset += 1
            } else if byte == Ascii.hash {
                skipComment()
            } else if let word = scanWord() {
                if word.bareText == "]]" { return }
            } else {
                offset += 1
            }
        }
    }

    private mutating func skipToWord(_ expected: String) {
        while let byte = peek() {
            if byte <= Ascii.space {
                offset += 1
            } else if let word = scanWord() {
                if word.bareText == expected { return }
            } else {
                return
            }
        }
    }

    /// Notes `NAME=…`, `NAME+=…` and `NAME[…]=…`; false for any other word.
    @discardableResult
    private mutating func noteAssignment(_ word: Word) -> Bool {
        let content = bytes[word.range]
        guard let first = content.first, Ascii.isNameStart(first) else { return false }
        let name = content.prefix(while: Ascii.isName)
        var rest = content[name.endIndex...]
        if rest.first == UInt8(ascii: "["), let close = rest.firstIndex(of: UInt8(ascii: "]")) {
            rest = rest[(close + 1)...]
        }
        if rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        guard rest.first == UInt8(ascii: "=") else { return false }
        assigned.insert(String(decoding: name, as: UTF8.self))
        return true
    }

    /// `NAME=( … )`: the words between the parentheses, with their expansions.
    private mutating func skipArrayValue(after word: Word) {
        guard peek() == Ascii.open, bytes[word.range].last == UInt8(ascii: "=") else { return }
        offset += 1
        while let byte = peek(), byte != Ascii.close {
            if byte == Ascii.hash {
                skipComment()
            } else if byte <= Ascii.space || scanWord() == nil {
                offset += 1
            }
        }
        offset += 1
    }

    private mutating func scanRedirection(into command: inout Command, from start: Int? = nil) {
        let start = start ?? offset
        let symbolStart = offset
        while let byte = peek(), byte == Ascii.less || byte == Ascii.greater || byte == Ascii.ampersand {
            offset += 1
            if byte == Ascii.greater, peek() == Ascii.bar { offset += 1 }
            if offset - symbolStart >= 3 || text(symbolStart..<offset) == "<&" { break }
        }
        var symbol = text(symbolStart..<offset)
        if symbol == "<<", peek() == UInt8(ascii: "-") {
            offset += 1
            symbol = "<<-"
        }
        skipBlanks()
        guard var target = scanWord() else { return }
        if symbol == "<<" || symbol == "<<-", peek() == Ascii.carriageReturn, peek(1) == Ascii.newline {
            // To bash a carriage return is part of the delimiter.
            target.add(Ascii.carriageReturn)
            target.range = target.range.lowerBound..<(offset + 1)
        }
        if symbol == "<<" || symbol == "<<-" {
            // The delimiter is taken as written: nothing in it is expanded.
            let delimiter = target.isLiteral ? target.literal : Array(bytes[target.range])
            pendingDocuments.append(
                HereDocument(delimiter: delimiter, isQuoted: target.isQuoted, stripsTabs: symbol == "<<-"))
        }
        command.redirections.append(
            ProvisionScript.Redirection(
                symbol: text(start..<symbolStart) + symbol, target: argument(target), position: position(of: start)))
    }

    /// Keeps a command that has been read to its end.
    private mutating func finish(_ command: inout Command) {
        defer { command = Command() }
        guard let name = command.name, let text = name.literalText else { return }
        guard let verb = ProvisionScript.Verb(rawValue: text) else {
            commands.insert(text)
            noteAssignments(by: text, command.arguments)
            return
        }
        statements.append(
            ProvisionScript.Statement(
                verb: verb, arguments: command.arguments.map(argument), redirections: command.redirections,
                position: position(of: name.range.lowerBound)))
    }

    /// The variables that builtins set by name.
    private mutating func noteAssignments(by command: String, _ arguments: [Word]) {
        let words = arguments.compactMap(\.literalText)
        switch command {
        case "command", "builtin":
            for argument in arguments { noteAssignment(argument) }
        case "export", "declare", "typeset", "local", "readonly": assigned.formUnion(words)
        case "let":
            for argument in arguments {
                assigned.formUnion(
                    [text(argument.range).prefix { $0.isLetter || $0.isNumber || $0 == "_" }].map(String.init))
            }
        case "read", "mapfile", "readarray", "getopts": assigned.formUnion(words)
        case "printf":
            if let index = words.firstIndex(of: "-v"), index + 1 < words.count { assigned.insert(words[index + 1]) }
        default: break
        }
    }
}
