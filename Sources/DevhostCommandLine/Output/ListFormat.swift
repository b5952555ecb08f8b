/// How a list is shown.
package enum ListFormat: Sendable, Hashable {
    /// One name a line, nothing else.
    case names
    /// A table with a heading.
    case table
    /// A JSON array.
    case json
}

/// A result that can stand in a list.
package protocol TableRow: Encodable {
    /// The headings of the table.
    static var columns: [TextTable.Column] { get }
    /// What stands for the row where only names are shown.
    var rowName: String { get }
    /// One text for each column; nil where there is none.
    var cells: [String?] { get }
}
