import DevhostBase
import Testing

@testable import DevhostCommandLine

@Suite("Rendering results")
struct OutputTests {
    struct Row: TableRow {
        static let columns = [TextTable.Column("NAME"), .init("SIZE", isRightAligned: true), .init("NOTE")]
        let name: String
        var size: String?
        var note: String?
        var rowName: String { name }
        var cells: [String?] { [name, size, note] }
    }

    static let rows = [Row(name: "a", size: "9", note: "x"), Row(name: "東京", size: "10"), Row(name: "b\u{1b}[2J\n")]

    private func rendered(_ format: ListFormat, _ rows: [Row] = Self.rows) throws -> String {
        let sink = MemorySink()
        try ResultOutput(sink).list(rows, as: format)
        return sink.text
    }

    @Test("names only, one a line")
    func names() throws {
        #expect(try rendered(.names) == "a\n東京\nb\\u{1b}[2J\\u{a}\n")
        #expect(try rendered(.names, []) == "")
    }

    @Test("a table is aligned, without trailing blanks, and wide letters count twice")
    func table() throws {
        #expect(
            try rendered(.table) == """
                NAME             SIZE  NOTE
                a                   9  x
                東京               10  -
                b\\u{1b}[2J\\u{a}     -  -

                """)
        #expect(try rendered(.table, []) == "")
    }

    @Test("JSON has sorted keys and no character that steers a terminal")
    func json() throws {
        #expect(
            try rendered(.json, [Row(name: "/\u{1b}\u{9b}\u{202e}\u{e0001}", note: "x")]) == #"""
                [
                  {
                    "name" : "/\u001b\u009b\u202e\udb40\udc01",
                    "note" : "x"
                  }
                ]

                """#)
    }

    @Test("fields leave out what there is not")
    func fields() {
        #expect(
            TextTable.fields([("name", "demo"), ("owner", nil), ("CPUs", ""), ("note", "a\u{7}")])
                == "name  demo\nCPUs  -\nnote  a\\u{7}\n")
    }

    @Test(
        "sizes",
        arguments: [
            (0, "0 B"), (999, "999 B"), (1000, "1 KiB"), (1536, "1.5 KiB"), (2 << 20, "2 MiB"), (10 << 30, "10 GiB"),
            (5 << 40, "5 TiB"), (UInt64.max, "16777216 TiB"),
        ] as [(UInt64, String)])
    func sizes(bytes: UInt64, text: String) { #expect(ByteText.size(bytes) == text) }
}
