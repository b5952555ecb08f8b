import DevhostCommandLine
import DevhostCore

extension ListedImage: TableRow {
    package static var columns: [TextTable.Column] {
        [
            TextTable.Column("IMAGE"), TextTable.Column("SIZE", isRightAligned: true), TextTable.Column("LAST USE"),
            TextTable.Column("RELEASES"), TextTable.Column("VMS"),
        ]
    }

    package var rowName: String { sha256.description }

    package var cells: [String?] {
        [
            String(sha256.description.prefix(12)), ByteText.size(size),
            isComplete ? lastUse?.description : "incomplete", releaseNames.joined(separator: " "),
            users.map(\.description).joined(separator: " "),
        ]
    }
}
