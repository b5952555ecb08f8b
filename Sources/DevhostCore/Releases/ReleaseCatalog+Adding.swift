extension ReleaseCatalog {
    /// Adds the metadata of a release, whose image lies in place already, and makes it the latest one of its channel.
    /// The caller holds the catalog's lock.
    func add(_ metadata: ReleaseMetadata, as release: ReleaseName, in channel: ChannelName, of folder: String) throws {
        let path = "\(folder)/\(channel)"
        try Files.writeAtomically("\(path)/\(release).json", try JSONCoding.encode(metadata), mode: 0o644)
        try writeIndex(latest: metadata, releases: try releaseNames(in: path), of: path)
        try writeChannels(of: folder)
    }

    /// Writes what the folder of a channel stands for, and its list.
    func writeIndex(latest: ReleaseMetadata, releases: [ReleaseName], of path: String) throws {
        try Files.writeAtomically(
            "\(path)/\(Self.index)", try JSONCoding.encode(ChannelIndex(latest: latest, releases: releases)),
            mode: 0o644)
    }

    /// Writes the list of channels.
    func writeChannels(of folder: String, without gone: ChannelName? = nil) throws {
        let channels = try Files.names(in: folder).compactMap { try? ChannelName($0) }.filter {
            try $0 != gone && !releaseNames(in: "\(folder)/\($0)").isEmpty
        }
        try Files.writeAtomically(
            "\(folder)/\(Self.index)", try JSONCoding.encode(["channels": channels.sorted()]), mode: 0o644)
    }

    /// Whether a release is complete: its image lies there, and the indexes name it and its channel. Then a later one
    /// may be the latest.
    func lists(_ release: ReleaseName, in channel: ChannelName, of folder: String) -> Bool {
        Files.exists("\(folder)/\(channel)/\(release).qcow2") && isIndexed(release, in: "\(folder)/\(channel)")
            && Self.readIndex(folder)?.channels?.contains(channel.description) == true
    }

    /// Whether the index of a channel's folder lists a release.
    func isIndexed(_ release: ReleaseName, in path: String) -> Bool {
        Self.readIndex(path)?.releases?.contains(release.description) == true
    }

    private static func readIndex(_ path: String) -> Index? {
        guard let content = try? Files.read("\(path)/\(index)", limit: 16 << 20) else { return nil }
        return try? JSONCoding.decode(Index.self, from: content)
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
