import DevhostBase

/// A table for people: aligned columns, two blanks between them, `-` for what is missing.
package struct TextTable: Sendable {
    /// One column.
    package struct Column: Sendable, Hashable {
        /// The heading.
        package let title: String
        /// Whether its cells end at the same place instead of starting there, as numbers do.
        package let isRightAligned: Bool

        /// A column.
        package init(_ title: String, isRightAligned: Bool = false) {
            self.title = title
            self.isRightAligned = isRightAligned
        }
    }

    private let columns: [Column]
    private let rows: [[String]]

    /// A table. Cells are made safe for a terminal.
    package init(columns: [Column], rows: [[String?]]) {
        self.columns = columns
        self.rows = rows.map { row in row.map { cell in cell.flatMap { $0.isEmpty ? nil : $0.printable } ?? "-" } }
    }

    /// The table as text, every line with its newline; nothing at all where there are no rows.
    package var text: String {
        guard !rows.isEmpty else { return "" }
        let lines = [columns.map(\.title)] + rows
        let widths = columns.indices.map { column in
            lines.map { column < $0.count ? $0[column].columnWidth : 0 }.max() ?? 0
        }
        return lines.map { line in
            let cells = line.enumerated().map { index, cell in
                let padding = String(repeating: " ", count: max(0, widths[index] - cell.columnWidth))
                if columns[index].isRightAligned { return padding + cell }
                return index == line.count - 1 ? cell : cell + padding
            }
            return cells.joined(separator: "  ") + "\n"
        }.joined()
    }

    /// Labels and values, one pair a line; pairs without a value are left out.
    package static func fields(_ fields: [(label: String, value: String?)]) -> String {
        let shown = fields.compactMap { field in field.value.map { (field.label, $0) } }
        let width = shown.map { $0.0.columnWidth }.max() ?? 0
        return shown.map { label, value in
            label + String(repeating: " ", count: width - label.columnWidth + 2)
                + (value.isEmpty ? "-" : value.printable) + "\n"
        }.joined()
    }
}

extension String {
    /// How many columns of a terminal the text takes: two for the wide scripts of East Asia and for emoji.
    var columnWidth: Int { reduce(0) { $0 + $1.columnWidth } }

    /// As much of the text's start as fits into a number of columns.
    func fitting(columns: Int) -> String {
        var width = 0
        return String(
            prefix { character in
                width += character.columnWidth
                return width <= columns
            })
    }
}

extension Character {
    var columnWidth: Int {
        guard let scalar = unicodeScalars.first else { return 0 }
        if scalar.properties.isEmojiPresentation { return 2 }
        return switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe4f,
            0xff00...0xff60, 0xffe0...0xffe6, 0x20000...0x3fffd:
            2
        default: 1
        }
    }
}
