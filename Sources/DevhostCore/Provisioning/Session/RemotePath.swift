/// A path in the VM: absolute, so that it means the same whoever carries the verb out.
struct RemotePath: Sendable, Hashable {
    /// The path as written.
    let text: String
    /// The path without `.`, `..` and repeated slashes.
    let normalized: String

    /// Parses a path.
    /// - Throws: `invalidArgument` unless it is absolute.
    init(_ text: String) throws(DevhostError) {
        guard text.hasPrefix("/") else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not an absolute path in the VM", next: "begin it with '/'")
        }
        self.text = text
        var parts: [Substring] = []
        for part in text.split(separator: "/") {
            switch part {
            case ".": break
            case "..": _ = parts.popLast()
            default: parts.append(part)
            }
        }
        normalized = "/" + parts.joined(separator: "/")
    }

    /// Whether it is written as a folder.
    var isFolder: Bool { text.hasSuffix("/") }

    /// The folder that it lies in.
    var parent: String {
        let trimmed = text.reversed().drop { $0 == "/" }.reversed()
        return trimmed.isEmpty ? "/" : Files.directory(of: String(trimmed))
    }
}
