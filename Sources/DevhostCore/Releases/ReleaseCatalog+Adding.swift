extension ReleaseCatalog {
    /// Adds the metadata of a release, whose image lies in place already, and makes it the latest one of its channel.
    /// The caller holds the catalog's lock.
    func add(_ metadata: ReleaseMetadata, as release: ReleaseName, in channel: ChannelName, of folder: String) throws {
        let path = "\(folder)/\(channel)"
        try Files.writeAtomically("\(path)/\(release).json", try JSONCoding.encode(metadata), mode: 0o644)
        let names = try releaseNames(in: path)
        try Files.writeAtomically(
            "\(path)/\(Self.index)", try JSONCoding.encode(ChannelIndex(latest: metadata, releases: names)), mode: 0o644
        )
        let channels = try Files.names(in: folder).compactMap { try? ChannelName($0) }.filter {
            try !releaseNames(in: "\(folder)/\($0)").isEmpty
        }
        try Files.writeAtomically(
            "\(folder)/\(Self.index)", try JSONCoding.encode(["channels": channels.sorted()]), mode: 0o644)
    }

    /// Whether a release is complete: its image lies there, and the indexes name it and its channel. Then a later one
    /// may be the latest.
    func lists(_ release: ReleaseName, in channel: ChannelName, of folder: String) -> Bool {
        func index(_ path: String) -> Index? {
            guard let content = try? Files.read("\(path)/\(Self.index)", limit: 16 << 20) else { return nil }
            return try? JSONCoding.decode(Index.self, from: content)
        }
        return Files.exists("\(folder)/\(channel)/\(release).qcow2")
            && index("\(folder)/\(channel)")?.releases?.contains(release.description) == true
            && index(folder)?.channels?.contains(channel.description) == true
    }

    /// What an index lists.
    private struct Index: Decodable {
        var channels: [String]?
        var releases: [String]?
    }

    /// The latest release's metadata, and the list of all releases beside it.
    private struct ChannelIndex: Encodable {
        var latest: ReleaseMetadata
        var releases: [ReleaseName]

        enum CodingKeys: String, CodingKey {
            case releases
        }

        func encode(to encoder: any Encoder) throws {
            try latest.encode(to: encoder)
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(releases, forKey: .releases)
        }
    }
}
