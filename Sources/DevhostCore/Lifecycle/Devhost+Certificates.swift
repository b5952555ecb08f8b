#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The certificate of one published name.
public struct PublishedCertificate: Sendable, Encodable {
    /// The published name.
    public let name: String
    /// Who signed it; nil where there is none yet: it is made when the name is first asked for.
    public let issuer: String?
    /// Until when it holds.
    public let expires: Timestamp?
    /// What went wrong when Caddy last tried to get it; nil where nothing did since.
    public let problem: String?
}

/// The certificates of everything that is published.
public struct CertificateReport: Sendable, Encodable {
    /// One a name, sorted.
    public let certificates: [PublishedCertificate]
    /// How many certificates a public authority gave out in the last seven days, renewals and names that are gone
    /// included.
    public let newThisWeek: Int
    /// How many it gives out in a week; nil where certificates are Caddy's own.
    public let weeklyLimit: Int?
}

extension Devhost {
    /// The certificates of everything that is published.
    /// - Throws: `permissionDenied` for who may not read Caddy's storage.
    public func certificates() throws -> CertificateReport {
        let publish = configuration.publish
        let store = CertificateStore(layout: layout)
        let own = try ownCertificate()
        let problems = store.problems()
        let certificates = try nameFolder.hosts().map { name in
            let isOwn = own?.names.contains { Self.covers($0, name) } ?? false
            let certificate = isOwn ? own : try store.certificate(of: name)
            return PublishedCertificate(
                name: name, issuer: certificate?.issuer, expires: certificate.map { Timestamp($0.expires) },
                problem: problems[name].map { "\(Timestamp($0.date)): \($0.text)" })
        }
        return CertificateReport(
            certificates: certificates, newThisWeek: try store.count(since: weekAgo),
            weeklyLimit: publish.usesACME ? publish.weeklyLimit : nil)
    }

    /// The devhost's own certificate; nil where devhost.cfg names none.
    func ownCertificate() throws -> CertificateFile? {
        try configuration.publish.certificate.map { files in
            try CertificateFile(pem: try Files.read(files.certificate, limit: 1 << 20), source: files.certificate)
        }
    }

    private var weekAgo: Date { clock.now.addingTimeInterval(-7 * 86400) }

    /// Whether a name of a certificate, with or without a wildcard as its first label, is or covers a host.
    static func covers(_ name: String, _ host: String) -> Bool {
        guard name.hasPrefix("*.") else { return name == host }
        return host.drop { $0 != "." }.dropFirst() == name.dropFirst(2)
    }

    /// Warns where the certificate authority will soon give out no more certificates this week. Let's Encrypt counts by
    /// registered domain, so one devhost can use up what others need.
    func warnOfCertificateLimit(progress: ProgressHandler) throws {
        let publish = configuration.publish
        guard publish.usesACME else { return }
        let store = CertificateStore(layout: layout)
        let used = try store.count(since: weekAgo)
        let own = try ownCertificate()?.names ?? []
        let missing = try nameFolder.hosts().count { name in
            try !own.contains { Self.covers($0, name) } && !store.has(name, fromACME: true)
        }
        // At four fifths there is still time to do something about it.
        guard (used + missing) * 5 >= publish.weeklyLimit * 4 else { return }
        progress(
            .warning(
                "\(used) of the \(publish.weeklyLimit) certificates of this week are given out, and \(missing) published "
                    + "names have none yet; withdraw aliases that nobody needs, or give the devhost certificates of "
                    + "its own ([publish] tls-certificate)"))
    }
}
