/// Walks over a shell script and collects its verbs, variables and assignments.
///
/// This file holds the state and the movement over bytes; `ShellScanner+Commands.swift` knows where commands begin,
/// `ShellScanner+Words.swift` knows words, quotes and expansions.
struct ShellScanner: Sendable {
    /// What ends a list of commands.
    enum End {
        case script, parenthesis, backquote, brace
    }

    /// A here-document whose body begins after the next newline.
    struct HereDocument {
        let delimiter: [UInt8]
        let isQuoted: Bool
        let stripsTabs: Bool
    }

    let bytes: [UInt8]
    private let lineStarts: [Int]
    /// How many scalars begin before each block of bytes: a column is found without a walk over the whole line.
    private let scalarsBefore: [Int]
    private static let blockSize = 256
    /// Where reading stops: the end of the script, or of the here-document whose expansions are being read.
    var limit: Int
    /// How many bytes may still be read ahead in vain; without a bound the time would grow with the square of the size.
    var lookahead: Int
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
    var functions: Set<String> = []
    /// Characters that look like a blank or like nothing and stand outside of quotes, by where they stand.
    var invisible: [Int: String] = [:]

    init(_ text: String) {
        let bytes = Array(text.utf8)
        self.bytes = bytes
        limit = bytes.count
        lookahead = 4 * bytes.count + 65536
        var scalarsBefore: [Int] = []
        var scalars = 0
        for (index, byte) in bytes.enumerated() {
            if index % Self.blockSize == 0 { scalarsBefore.append(scalars) }
            // Continuation bytes of UTF-8 begin no scalar.
            if byte & 0xc0 != 0x80 { scalars += 1 }
        }
        scalarsBefore.append(scalars)
        self.scalarsBefore = scalarsBefore
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
        return index < limit ? bytes[index] : nil
    }

    func starts(with text: StaticString) -> Bool {
        guard offset + text.utf8CodeUnitCount <= limit else { return false }
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
        return ProvisionScript.Position(
            line: low + 1, column: scalars(before: index) - scalars(before: lineStarts[low]) + 1)
    }

    private func scalars(before index: Int) -> Int {
        let block = index / Self.blockSize
        guard block < scalarsBefore.count, index <= bytes.count else { return scalarsBefore.last ?? 0 }
        return scalarsBefore[block] + bytes[(block * Self.blockSize)..<index].count { $0 & 0xc0 != 0x80 }
    }

    /// Skips blanks and continued lines.
    mutating func skipBlanks() {
        while let byte = peek() {
            if byte == Ascii.space || byte == Ascii.tab || byte == Ascii.carriageReturn {
                if byte == Ascii.carriageReturn { invisible[offset] = "a carriage return" }
                offset += 1
            } else if byte == Ascii.backslash && peek(1) == Ascii.newline {
                offset += 2
            } else {
                return
            }
        }
    }

    /// Within backquotes a comment ends with them: bash takes out their content before it reads it.
    mutating func skipComment() {
        while let byte = peek(), byte != Ascii.newline, backquoteDepth == 0 || byte != Ascii.backquote { offset += 1 }
    }

    /// Notes a character that looks like a blank or like nothing, if one begins here.
    mutating func noteInvisible() {
        guard let first = peek(), let second = peek(1) else { return }
        let third = peek(2) ?? 0
        switch (first, second, third) {
        case (0xc2, 0xa0, _): invisible[offset] = "a no-break space"
        case (0xef, 0xbb, 0xbf): invisible[offset] = "a byte order mark"
        case (0xe2, 0x80, 0x80...0x8f), (0xe2, 0x80, 0xa8...0xaf), (0xe2, 0x81, 0x9f...0xa4), (0xe3, 0x80, 0x80),
            (0xe1, 0x9a, 0x80), (0xc2, 0x85, _):
            invisible[offset] = "an invisible character"
        default: break
        }
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
        let start = min(offset, limit)
        var end = limit
        var next = limit
        var line = start
        while line < limit {
            var newline = bytes[line..<limit].firstIndex(of: Ascii.newline) ?? limit
            // A continued line is joined with the next before the end is looked for.
            var joined: [UInt8] = []
            var part = line
            while !document.isQuoted, newline < limit, isContinued(bytes[part..<newline]) {
                joined += bytes[part..<(newline - 1)]
                part = newline + 1
                newline = bytes[part..<limit].firstIndex(of: Ascii.newline) ?? limit
            }
            var content = part == line ? bytes[line..<newline] : (joined + bytes[part..<newline])[...]
            if document.stripsTabs { content = content.drop { $0 == Ascii.tab } }
            if content.elementsEqual(document.delimiter) {
                end = line
                next = min(newline + 1, limit)
                break
            }
            line = newline + 1
        }
        if !document.isQuoted { scanExpansions(start..<end) }
        offset = next
    }

    /// Whether a line of a here-document ends in a backslash that no other protects.
    private func isContinued(_ line: ArraySlice<UInt8>) -> Bool {
        line.reversed().prefix { $0 == Ascii.backslash }.count % 2 == 1
    }

    /// Looks into text that is expanded like the inside of double quotes.
    ///
    /// Nothing in it reaches past its end, whatever it leaves open.
    mutating func scanExpansions(_ range: Range<Int>) {
        let outer = (limit, pendingDocuments, backquoteDepth)
        limit = range.upperBound
        pendingDocuments = []
        backquoteDepth = 0
        offset = range.lowerBound
        while let byte = peek() {
            switch byte {
            case Ascii.backslash: offset += 2
            case Ascii.dollar: scanDollar(quotesAreText: true)
            case Ascii.backquote: scanBackquotes()
            default: offset += 1
            }
        }
        (limit, pendingDocuments, backquoteDepth) = outer
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
