/// A release as a catalog lists it.
public struct ListedRelease: Sendable, Hashable, Encodable {
    /// Its name.
    public let name: ReleaseName
    /// Whether it is the latest one of its channel.
    public let isLatest: Bool
    /// What the catalog says of it; nil where a catalog behind HTTP lists names only, or where there is a problem.
    public let metadata: ReleaseMetadata?
    /// What is wrong with it.
    public let problem: String?

    enum CodingKeys: String, CodingKey {
        case name
        case isLatest = "latest"
        case metadata, problem
    }
}

extension ReleaseCatalog {
    private struct Channels: Decodable {
        var channels: [ChannelName]
    }

    private struct Releases: Decodable {
        var releases: [ReleaseName]
    }

    /// The channels of the catalog, sorted.
    /// - Throws: `unsupported` for a catalog behind HTTP that offers no list.
    public func channels() async throws -> [ChannelName] {
        switch location {
        case .folder(let folder):
            guard Files.isDirectory(folder) else {
                throw DevhostError(.notFound, "there is no catalog in \(folder): it is not a folder")
            }
            return try Files.names(in: folder).compactMap { try? ChannelName($0) }.filter { channel in
                try !releaseNames(in: "\(folder)/\(channel)").isEmpty
            }.sorted()
        case .server: return try await list(Channels.self, at: Self.index).channels.sorted()
        }
    }

    /// The releases of a channel, in their order.
    /// - Throws: `notFound` for a channel that does not exist; `unsupported` for a catalog behind HTTP that offers no
    ///   list.
    public func releases(of channel: ChannelName) async throws -> [ListedRelease] {
        switch location {
        case .folder(let folder):
            let names = try releaseNames(in: "\(folder)/\(channel)")
            guard !names.isEmpty else {
                throw DevhostError(
                    .notFound, "there is no channel \(channel), or no release in it, of the catalog \(name)")
            }
            let latest = try? await metadata(channel, nil).releaseName
            var releases: [ListedRelease] = []
            for name in names { releases.append(await listed(channel, name, latest: latest)) }
            return releases
        case .server:
            let names = try await list(Releases.self, at: "\(channel)/\(Self.index)").releases.sorted()
            let latest = try? await metadata(channel, nil).releaseName
            return names.map {
                ListedRelease(name: $0, isLatest: $0.description == latest, metadata: nil, problem: nil)
            }
        }
    }

    private func listed(_ channel: ChannelName, _ name: ReleaseName, latest: String?) async -> ListedRelease {
        let isLatest = name.description == latest
        do {
            let metadata = try await metadata(channel, name)
            return ListedRelease(name: name, isLatest: isLatest, metadata: metadata, problem: nil)
        } catch {
            return ListedRelease(name: name, isLatest: isLatest, metadata: nil, problem: "\(error)")
        }
    }

    private func list<Value: Decodable>(_ type: Value.Type, at path: String) async throws -> Value {
        let unlisted = "this catalog cannot be listed: \(name) offers no \(path)"
        let content: [UInt8]
        do {
            content = try await bytes(try url(path))
        } catch let error as DevhostError where error.code == .notFound || error.code == .permissionDenied {
            throw DevhostError(.unsupported, unlisted, underlying: error)
        }
        guard let value = try? JSONCoding.decode(type, from: content) else {
            throw DevhostError(.unsupported, "\(unlisted) with a list in it")
        }
        return value
    }
}
