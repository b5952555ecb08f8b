import DevhostBase

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where the results of a command go: standard output, and the one place that renders them.
package struct ResultOutput: Sendable {
    private let sink: any TextSink
    private let progress: TerminalProgress?

    /// Results that go to a sink.
    /// - Parameter progress: Whose changing line is taken off the terminal before results appear.
    package init(_ sink: any TextSink, progress: TerminalProgress? = nil) {
        self.sink = sink
        self.progress = progress
    }

    /// Writes text as it is: what comes from guests and records must be printable already.
    package func write(_ text: String) throws {
        guard !text.isEmpty else { return }
        progress?.finish()
        try sink.write(text)
    }

    /// Whether anybody still reads.
    package var hasReader: Bool { sink.hasReader }

    /// Writes one line, made safe for a terminal.
    package func line(_ text: String) throws { try write(text.printable + "\n") }

    /// Writes one name a line and nothing else.
    package func names(_ names: [String]) throws { try write(names.map { $0.printable + "\n" }.joined()) }

    /// Writes a list.
    package func list<Row: TableRow>(_ rows: [Row], as format: ListFormat) throws {
        switch format {
        case .names: try names(rows.map(\.rowName))
        case .table: try write(TextTable(columns: Row.columns, rows: rows.map(\.cells)).text)
        case .json: try json(rows)
        }
    }

    /// Writes a value as JSON: keys sorted, readable, and without a character that could steer a terminal.
    package func json(_ value: some Encodable) throws {
        try json(value, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }

    /// Writes a value as JSON on one line, for a stream of values.
    package func jsonLine(_ value: some Encodable) throws { try json(value, [.sortedKeys, .withoutEscapingSlashes]) }

    private func json(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        let text: String
        do {
            text = String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw DevhostError(.failed, "cannot write the result as JSON", underlying: error)
        }
        try write(Self.escapingControls(text) + "\n")
    }

    /// JSON escapes the control characters of ASCII itself; the others can only stand within its strings, where an
    /// escape means the same.
    static func escapingControls(_ json: String) -> String {
        var result = ""
        for scalar in json.unicodeScalars {
            let isControl =
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse: scalar != "\n"
                default: false
                }
            guard isControl else {
                result.unicodeScalars.append(scalar)
                continue
            }
            for unit in UTF16.encode(scalar) ?? .init() {
                let digits = String(unit, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result
    }
}
