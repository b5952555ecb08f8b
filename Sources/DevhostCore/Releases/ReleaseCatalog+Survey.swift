extension ReleaseCatalog {
    /// What is not as publishing leaves it in a catalog that is a folder.
    package struct Survey: Sendable, Equatable {
        /// Releases of which nobody knows who published them.
        package var unclaimed: [ChannelName: [ReleaseName]] = [:]
        /// Images without metadata, and releases that the index of their channel does not list.
        package var halfMade: [ChannelName: [ReleaseName]] = [:]
        /// Files of publications that were killed.
        package var leftovers = 0
    }

    /// Looks at a catalog in a folder; nil for one behind HTTP, and while somebody changes it.
    package func survey() throws -> Survey? {
        guard case .folder(let folder) = location, !FileLock.isHeld("\(folder)/.publish.lock") else { return nil }
        var survey = Survey()
        for path in try channelFolders(of: folder) {
            guard let channel = try? ChannelName(String(path.dropFirst(folder.count + 1))) else { continue }
            let names = try Files.names(in: path)
            survey.leftovers += names.count { $0.hasSuffix(".qcow2.part") || Files.isTemporary($0) }
            let complete = try releaseNames(in: path)
            let publishers = try ReleasePublishers.read(path)
            let unclaimed = complete.filter { publishers.releases[$0.description] == nil }
            if !unclaimed.isEmpty { survey.unclaimed[channel] = unclaimed }
            // Folders that were not made by publishing have no index, and may keep images of other names.
            guard Files.exists("\(path)/\(ReleasePublishers.file)") || names.contains(Self.index) else { continue }
            let images = names.filter { $0.hasSuffix(".qcow2") }.compactMap { try? ReleaseName(String($0.dropLast(6))) }
            let halfMade = Set(images).subtracting(complete).union(complete.filter { !isIndexed($0, in: path) })
            if !halfMade.isEmpty { survey.halfMade[channel] = halfMade.sorted() }
        }
        return survey
    }

    /// Removes what publications that were killed left.
    package func collect(clock: any SystemClock) async throws {
        let folder = try requireFolder(to: "clean")
        let lock = try await lock(folder, for: "the cleaning of the catalog", clock: clock)
        defer { withExtendedLifetime(lock) {} }
        try sweep(folder)
    }
}
