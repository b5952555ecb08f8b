#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The certificates that Caddy has, as they lie in its storage: `certificates/ISSUER/NAME/NAME.crt`.
struct CertificateStore: Sendable {
    let layout: Layout

    private var folder: String { "\(layout.proxyStorage)/certificates" }

    /// Whose certificates Caddy signs itself.
    private static let internalIssuer = "local"

    private func issuers() throws -> [String] { try Files.names(in: folder) }

    private func path(_ issuer: String, _ name: String) -> String { "\(folder)/\(issuer)/\(name)/\(name).crt" }

    /// Whether there is a certificate for a name, from wherever certificates come now.
    func has(_ name: String, fromACME: Bool) throws -> Bool {
        try issuers().contains { ($0 != Self.internalIssuer) == fromACME && Files.exists(path($0, name)) }
    }

    /// The certificate of a name that holds longest; nil where there is none.
    func certificate(of name: String) throws -> CertificateFile? {
        try issuers().compactMap { issuer -> CertificateFile? in
            let path = path(issuer, name)
            guard Files.exists(path) else { return nil }
            return try? CertificateFile(pem: try Files.read(path, limit: 1 << 20), source: path)
        }.max { $0.expires < $1.expires }
    }

    /// How many certificates a public authority gave out since a moment, renewals among them.
    func count(since start: Date) throws -> Int {
        try issuers().filter { $0 != Self.internalIssuer }.reduce(0) { sum, issuer in
            try sum
                + Files.names(in: "\(folder)/\(issuer)").count { name in
                    Files.lastWritten(path(issuer, name)).map { $0 >= start } ?? false
                }
        }
    }

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
        let log = (try? Files.tail("\(layout.proxyLogs)/caddy.log", bytes: 4 << 20)) ?? ""
        let decoder = JSONDecoder()
        for line in log.split(separator: "\n") where line.contains("\"tls") {
            guard let entry = try? decoder.decode(LogLine.self, from: Data(line.utf8)),
                entry.logger?.hasPrefix("tls") == true, let name = entry.identifier
            else { continue }
            let date = Date(timeIntervalSince1970: entry.ts)
            if entry.level == "error", let error = entry.error {
                problems[name] = (date, error)
            } else if entry.msg == "certificate obtained successfully" {
                problems[name] = nil
            }
        }
        return problems
    }
}
