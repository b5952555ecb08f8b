/// Walks over a shell script and collects its verbs, variables and assignments.
///
/// This file holds the state and the movement over bytes; `ShellScanner+Commands.swift` knows where commands begin,
/// `ShellScanner+Words.swift` knows words, quotes and expansions.
struct ShellScanner {
    /// What ends a list of commands.
    enum End {
        case script, parenthesis, backquote
    }

    /// A here-document whose body begins after the next newline.
    struct HereDocument {
        let delimiter: [UInt8]
        let isQuoted: Bool
        let stripsTabs: Bool
    }

    let bytes: [UInt8]
    private let lineStarts: [Int]
    var offset = 0
    var pendingDocuments: [HereDocument] = []
    /// How deep substitutions and subshells are nested; beyond a limit the rest is taken as plain text, so that a
    /// hostile script cannot exhaust the stack.
    var depth = 0
    static let depthLimit = 200
    /// Inside backquotes the next backquote ends the word.
    var backquoteDepth = 0

    var statements: [ProvisionScript.Statement] = []
    var variables: [ProvisionScript.VariableUse] = []
    var assigned: Set<String> = []
    var commands: Set<String> = []

    init(_ text: String) {
        let bytes = Array(text.utf8)
        self.bytes = bytes
        lineStarts = [0] + bytes.indices.filter { bytes[$0] == Ascii.newline }.map { $0 + 1 }
    }

    mutating func scanScript() {
        while offset < bytes.count {
            scanCommands(until: .script)
            // A closing parenthesis without an opening one: bash will complain, the rest is still worth reading.
            offset += 1
        }
    }

    // MARK: Bytes

    /// The byte at the given distance from here; nil past the end.
    func peek(_ distance: Int = 0) -> UInt8? {
        let index = offset + distance
        return index < bytes.count ? bytes[index] : nil
    }

    func starts(with text: StaticString) -> Bool {
        guard offset + text.utf8CodeUnitCount <= bytes.count else { return false }
        return text.withUTF8Buffer { expected in expected.indices.allSatisfy { bytes[offset + $0] == expected[$0] } }
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    func position(of index: Int) -> ProvisionScript.Position {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= index { low = middle } else { high = middle }
        }
        // Continuation bytes of UTF-8 begin no scalar.
        let column = bytes[lineStarts[low]..<index].count { $0 & 0xc0 != 0x80 }
        return ProvisionScript.Position(line: low + 1, column: column + 1)
    }

    /// Skips blanks and continued lines.
    mutating func skipBlanks() {
        while let byte = peek() {
            if byte == Ascii.space || byte == Ascii.tab || byte == Ascii.carriageReturn {
                offset += 1
            } else if byte == Ascii.backslash && peek(1) == Ascii.newline {
                offset += 2
            } else {
                return
            }
        }
    }

    mutating func skipComment() {
        while let byte = peek(), byte != Ascii.newline { offset += 1 }
    }

    /// Goes over a newline, and over the bodies of the here-documents that begin after it.
    mutating func skipNewline() {
        offset += 1
        let documents = pendingDocuments
        pendingDocuments = []
        for document in documents { scanBody(of: document) }
    }

    private mutating func scanBody(of document: HereDocument) {
        // What an expansion of the body before leaves open goes on past the last byte.
        let start = min(offset, bytes.count)
        var end = bytes.count
        var next = bytes.count
        var line = start
        while line < bytes.count {
            let newline = bytes[line...].firstIndex(of: Ascii.newline) ?? bytes.count
            var content = bytes[line..<newline]
            if document.stripsTabs { content = content.drop { $0 == Ascii.tab } }
            if content.elementsEqual(document.delimiter) {
                end = line
                next = min(newline + 1, bytes.count)
                break
            }
            line = newline + 1
        }
        if !document.isQuoted { scanExpansions(start..<end) }
        offset = max(next, offset)
    }

    /// Looks into text that is expanded like the inside of double quotes.
    mutating func scanExpansions(_ range: Range<Int>) {
        offset = range.lowerBound
        while offset < range.upperBound {
            switch bytes[offset] {
            case Ascii.backslash: offset += 2
            case Ascii.dollar: scanDollar()
            case Ascii.backquote: scanBackquotes()
            default: offset += 1
            }
        }
    }
}

/// The bytes that mean something to a shell.
enum Ascii {
    static let tab = UInt8(ascii: "\t")
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let hash = UInt8(ascii: "#")
    static let dollar = UInt8(ascii: "$")
    static let ampersand = UInt8(ascii: "&")
    static let quote = UInt8(ascii: "'")
    static let doubleQuote = UInt8(ascii: "\"")
    static let open = UInt8(ascii: "(")
    static let close = UInt8(ascii: ")")
    static let semicolon = UInt8(ascii: ";")
    static let less = UInt8(ascii: "<")
    static let greater = UInt8(ascii: ">")
    static let backslash = UInt8(ascii: "\\")
    static let backquote = UInt8(ascii: "`")
    static let openBrace = UInt8(ascii: "{")
    static let bar = UInt8(ascii: "|")
    static let closeBrace = UInt8(ascii: "}")

    static func isNameStart(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    static func isName(_ byte: UInt8) -> Bool { isNameStart(byte) || isDigit(byte) }

    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
