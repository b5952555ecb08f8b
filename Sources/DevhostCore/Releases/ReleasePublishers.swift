/// Who published the releases of a channel: a file beside them, in a catalog that is a folder. Other catalogs, and
/// channels that were made without it, have none.
package struct ReleasePublishers: Codable, Sendable, Equatable {
    /// Who published a release, and when.
    package struct Entry: Codable, Sendable, Equatable {
        package var publisher: String
        package var date: Timestamp
    }

    /// What somebody's releases take.
    package struct Usage: Sendable, Equatable {
        package var count = 0
        package var bytes: UInt64 = 0
    }

    /// The file's name. No release is called so.
    static let file = ".publishers.json"
    /// The largest file that is written and read, in bytes: room for 50,000 releases.
    static let limit = 8 << 20

    /// Who published into the channel first; nil where nobody knows.
    package var owner: String?
    /// By the names of releases.
    package var releases: [String: Entry] = [:]

    /// Who published in a channel; nothing where there is no such file.
    /// - Parameter folder: The channel's.
    /// - Throws: `damaged` for a file that says something else.
    static func read(_ folder: String) throws -> ReleasePublishers {
        let path = "\(folder)/\(file)"
        guard Files.exists(path) else { return ReleasePublishers() }
        guard let publishers = try? JSONCoding.decode(Self.self, from: try Files.read(path, limit: limit)) else {
            throw DevhostError(
                .damaged, "cannot read who published the releases in \(path)",
                next: "repair it, or remove it: then administrators alone may publish there")
        }
        return publishers
    }

    func write(_ folder: String) throws {
        let content = try JSONCoding.encode(self)
        guard content.count <= Self.limit else {
            throw DevhostError(
                .refused, "the channel in \(folder) has too many releases: \(releases.count)",
                next: "remove some, or use another channel")
        }
        try Files.writeAtomically("\(folder)/\(Self.file)", content, mode: 0o644)
    }

    /// What the releases of one user take: those whose images are there.
    /// - Parameters:
    ///   - folders: Those of all channels.
    ///   - image: The path of an image that does not count.
    static func usage(of user: String, in folders: [String], without image: String) throws -> Usage {
        var usage = Usage()
        for folder in folders {
            // One that cannot be read spoils no other channel.
            let releases = (try? read(folder))?.releases ?? [:]
            for (release, entry) in releases where entry.publisher == user {
                let path = "\(folder)/\(release).qcow2"
                guard path != image, Files.exists(path) else { continue }
                usage.count += 1
                let (sum, isTooLarge) = usage.bytes.addingReportingOverflow(try Files.size(path))
                usage.bytes = isTooLarge ? .max : sum
            }
        }
        return usage
    }
}
