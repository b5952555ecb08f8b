import Glibc

/// The files of one download on its way into the store. They bear the name of the lock under which they stand, so that
/// what a crash left can be told from what somebody is writing.
struct WorkFiles: Sendable {
    let folder: String
    let key: String

    var download: String { "\(folder)/\(key).download" }
    var unpacked: String { "\(folder)/\(key).unpacked" }
    var converted: String { "\(folder)/\(key).converted" }

    /// The key of a file in the folder; nil for a file that is none of ours.
    static func key(of name: String) -> String? {
        let suffixes = [".download", ".unpacked", ".converted"]
        return suffixes.first { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) }
    }

    /// Opens a new, empty file that only this user may read.
    func create(_ path: String) throws -> FileDescriptor {
        try Effects.announce(.file, "create \(path)")
        unlink(path)
        return try FileDescriptor.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
    }

    /// Removes what there is of them.
    func remove() {
        for path in [download, unpacked, converted] { unlink(path) }
    }
}
