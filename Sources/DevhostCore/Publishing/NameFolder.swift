/// The folder in which everything that is published has a folder of its own: creating one publishes, removing it
/// withdraws, at once and without a word to Caddy. The lock of the VM that the names belong to must be held.
struct NameFolder: Sendable {
    let path: String

    /// Publishes names, and withdraws the other ones of the same VM.
    /// - Parameter owner: The VM's own host name, in which all of its names end.
    func publish(_ names: [PublishedName], owner: String) throws {
        let wanted = Set(names.map(\.host))
        for host in try hosts(of: owner) where !wanted.contains(host) { try withdraw(host) }
        if !names.isEmpty { try Files.createDirectory(path, mode: 0o755) }
        for name in names { try publish(name) }
    }

    /// Publishes one name, wherever it led before.
    func publish(_ name: PublishedName) throws {
        let folder = "\(path)/\(name.host)"
        try Files.createDirectory(path, mode: 0o755)
        try Files.createDirectory(folder, mode: 0o755)
        // The new file first: in between both are there, and either is right.
        try Files.createEmpty("\(folder)/\(name.fileName)", mode: 0o644)
        for file in try Files.names(in: folder) where file != name.fileName {
            try Files.remove("\(folder)/\(file)")
        }
    }

    /// Whether a name is published as it is to be, and leads nowhere else.
    func isPublished(_ name: PublishedName) throws -> Bool {
        try Files.names(in: "\(path)/\(name.host)") == [name.fileName]
    }

    /// Withdraws one name; one that is not published is as good.
    func withdraw(_ host: String) throws {
        let folder = "\(path)/\(host)"
        for file in try Files.names(in: folder) { try Files.remove("\(folder)/\(file)") }
        try Files.removeDirectory(folder)
    }

    /// Withdraws all names of a VM.
    func withdraw(owner: String) throws { try publish([], owner: owner) }

    /// Every name that is published.
    func hosts() throws -> [String] { try Files.names(in: path) }

    private func hosts(of owner: String) throws -> [String] {
        try hosts().filter { $0 == owner || $0.hasSuffix(".\(owner)") }
    }
}
