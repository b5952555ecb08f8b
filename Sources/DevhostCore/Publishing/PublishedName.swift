/// A name that the world can ask for, and where it leads.
struct PublishedName: Hashable, Sendable {
    /// Who may see it.
    enum Access: String, Sendable {
        case open
        case `private`
    }

    /// What is behind it.
    enum Target: Hashable, Sendable {
        /// A service in a VM.
        case service(AliasTarget, IPv4Address)
        /// The landing page.
        case page
    }

    let host: String
    let access: Access
    let target: Target

    /// What Caddy reads: the name of an empty file in a folder named after the host. A name is read and changed as a
    /// whole, and matching it costs Caddy one look at a folder with one entry.
    var fileName: String {
        switch target {
        case .service(let service, let address):
            "\(access.rawValue),\(service.scheme.rawValue),\(address),\(service.port)"
        case .page: "\(access.rawValue),page"
        }
    }

    /// The names of a VM: its own, and one an alias; none where it has no address yet.
    static func all(of record: VMRecord, _ publish: Configuration.Publish) -> [PublishedName] {
        guard let address = record.ipv4 else { return [] }
        let access: Access = record.isPrivate ?? publish.isPrivate ? .private : .open
        let own = PublishedName(
            host: publish.host(record.name), access: access, target: .service(.standard, address))
        return [own]
            + record.aliases.map { alias in
                PublishedName(
                    host: publish.host(alias, record.name), access: access,
                    target: .service(record.aliasPorts[alias] ?? .standard, address))
            }
    }
}
