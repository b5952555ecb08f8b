#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What Caddy noted of requests: a line of JSON for each, which holds nothing but the moment, the host and the status
/// (``CaddyConfiguration`` filters the rest). The folder is Caddy's own, so what lies there is read with care.
struct AccessLog: Sendable {
    let layout: Layout

    /// The size from which on Caddy goes on with another file, in MiB, and how many of those before it keeps.
    static let rollSize = 10
    static let rollKeep = 3

    /// When each host was last asked for with an answer from behind it.
    /// - Throws: `permissionDenied`; `refused` for what is no regular file; where nothing was ever logged nothing was asked for.
    func lastRequests() throws -> [String: Timestamp] {
        var last: [String: Double] = [:]
        guard let folder = try UntrustedFolder(layout.proxyLogs) else { return [:] }
        // Files that are full bear the date of that in their names, and sort before the one that is written to.
        let files = try folder.names().names.filter { $0.hasPrefix("access") && $0.hasSuffix(".log") }
        for file in files.suffix(Self.rollKeep + 2) {
            // Nothing where it was removed since the folder was read.
            let content = try folder.read(file, limit: (Self.rollSize + 1) << 20) ?? []
            for line in content.split(separator: UInt8(ascii: "\n")) {
                if let (host, moment) = Self.request(line) { last[host] = moment }
            }
        }
        return last.mapValues { Timestamp(Date(timeIntervalSince1970: $0)) }
    }

    /// Host and moment of a line; nil for one that tells of no use: where the VM did not answer (502 to 504) or the
    /// devhost may have sent the visitor away (401, 403).
    static func request(_ line: some Collection<UInt8>) -> (host: String, moment: Double)? {
        let text = String(decoding: line, as: UTF8.self)
        guard let moment = value("\"ts\":", in: text).flatMap({ Double($0) }), moment.isFinite,
            abs(moment) < 1e11, let quoted = value("\"host\":", in: text), quoted.hasPrefix("\""),
            let status = value("\"status\":", in: text).flatMap({ Int($0) })
        else { return nil }
        if [0, 401, 403, 502, 503, 504].contains(status) { return nil }
        let host = quoted.dropFirst().prefix { $0 != "\"" && $0 != ":" }
        // Caddy notes the host as it came; it is published in small letters and without the dot at its end.
        return ((host.hasSuffix(".") ? host.dropLast() : host).lowercased(), moment)
    }

    /// What follows a key, up to the next comma or brace.
    private static func value(_ key: String, in text: String) -> Substring? {
        guard let range = text.firstRange(of: key) else { return nil }
        return text[range.upperBound...].prefix { $0 != "," && $0 != "}" }
    }
}
