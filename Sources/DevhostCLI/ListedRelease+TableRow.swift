import DevhostCommandLine
import DevhostCore

extension ListedRelease: TableRow {
    package static var columns: [TextTable.Column] {
        ["RELEASE", "LATEST", "IMAGE", "CHANNEL URL"].map { TextTable.Column($0) }
    }

    package var rowName: String { name.description }

    package var cells: [String?] {
        [name.description, isLatest ? "yes" : nil, image, metadata?.channelURL.map(Self.redacted)]
    }

    /// The start of the image's digest; words where there is something wrong.
    private var image: String? {
        if problem != nil { return "broken" }
        guard let metadata else { return nil }
        guard metadata.imageURL?.isEmpty == false else { return "none" }
        guard let hash = metadata.imageHash else { return "not pinned" }
        return (try? SHA256Digest(subresourceIntegrity: hash)).map { String($0.description.prefix(12)) } ?? "broken"
    }

    /// A URL without what may be a secret in it.
    private static func redacted(_ text: String) -> String { (try? ResourceURL(text).redacted) ?? text }
}
