#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The certificates that Caddy has, as they lie in its storage: `certificates/ISSUER/NAME/NAME.crt`. The storage is
/// Caddy's own, so what lies there is read with care.
struct CertificateStore: Sendable {
    let layout: Layout

    /// Whose certificates Caddy signs itself.
    private static let internalIssuer = "local"
    /// How many issuers are looked at: a devhost has one or two.
    private static let mostIssuers = 100

    private func issuers() throws -> [(name: String, folder: UntrustedFolder)] {
        guard let folder = try UntrustedFolder(layout.proxyStorage)?.folder("certificates") else { return [] }
        return try folder.names(limit: Self.mostIssuers).names.compactMap { name in
            try folder.folder(name).map { (name, $0) }
        }
    }

    /// Whether there is a certificate for a name, from wherever certificates come now.
    func has(_ name: String, fromACME: Bool) throws -> Bool {
        try issuers().contains {
            try ($0.name != Self.internalIssuer) == fromACME
                && $0.folder.folder(name)?.lastWritten("\(name).crt") != nil
        }
    }

    /// The certificate of a name that holds longest; nil where there is none.
    func certificate(of name: String) throws -> CertificateFile? {
        try issuers().compactMap { issuer in try Self.certificate(name, issuer.folder) }.max { $0.expires < $1.expires }
    }

    private static func certificate(_ name: String, _ issuer: UntrustedFolder) throws -> CertificateFile? {
        guard let folder = try issuer.folder(name), let content = try? folder.read("\(name).crt", limit: 1 << 20)
        else { return nil }
        return try? CertificateFile(pem: content, source: name.printable)
    }

    /// How many certificates a public authority gave out since a moment, renewals among them.
    func count(since start: Date) throws -> Int {
        try issuers().filter { $0.name != Self.internalIssuer }.reduce(0) { sum, issuer in
            try sum
                + issuer.folder.names().names.count { name in
                    try issuer.folder.folder(name)?.lastWritten("\(name).crt").map { $0 >= start } ?? false
                }
        }
    }

    // MARK: Strays

    /// Certificates of Caddy's own for names that are none: handshakes for `x/../NAME` made one each, with devhosts that
    /// did not look at the name first.
    /// - Returns: The folders in which they lie, and whether all certificates were looked at.
    func strays() throws -> (folders: [String], isComplete: Bool) {
        guard let issuer = try issuers().first(where: { $0.name == Self.internalIssuer }) else { return ([], true) }
        let (names, isComplete) = try issuer.folder.names()
        let strays = try names.filter { name in
            guard let certificate = try Self.certificate(name, issuer.folder) else { return false }
            return certificate.names != [name]
        }
        return (strays, isComplete)
    }

    /// Removes the certificates in folders that ``strays()`` named, and their keys.
    func remove(strays: [String]) throws {
        guard let issuer = try issuers().first(where: { $0.name == Self.internalIssuer }) else { return }
        for stray in strays { try issuer.folder.remove(stray) }
    }

    // MARK: Problems

    /// One line of Caddy's log, as far as it is about certificates.
    private struct LogLine: Decodable {
        let level: String
        let ts: Double
        let logger: String?
        let msg: String?
        let identifier: String?
        let error: String?
    }

    /// The last problem with the certificate of each name, and when it was, from the end of Caddy's log.
    func problems() -> [String: (date: Date, text: String)] {
        var problems: [String: (date: Date, text: String)] = [:]
        let log = try? UntrustedFolder(layout.proxyLogs)?.read("caddy.log", limit: 4 << 20, fromEnd: true)
        let decoder = JSONDecoder()
        for line in String(decoding: log ?? [], as: UTF8.self).split(separator: "\n") where line.contains("\"tls") {
            guard let entry = try? decoder.decode(LogLine.self, from: Data(line.utf8)),
                entry.logger?.hasPrefix("tls") == true, let name = entry.identifier, entry.ts.isFinite,
                abs(entry.ts) < 1e11
            else { continue }
            let date = Date(timeIntervalSince1970: entry.ts)
            if entry.level == "error", let error = entry.error {
                problems[name] = (date, String(error.printable.prefix(2000)))
            } else if entry.msg == "certificate obtained successfully" {
                problems[name] = nil
            }
        }
        return problems
    }
}
