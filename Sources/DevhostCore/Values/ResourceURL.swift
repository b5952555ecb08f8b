#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The URL of an image, a channel or a release: `http`, `https` or `file`, with nothing in it that could be read as
/// anything but a URL.
public struct ResourceURL: Hashable, Sendable, CustomStringConvertible {
    /// The ways of reaching a resource.
    public enum Scheme: String, Sendable {
        /// A file on the devhost.
        case file
        /// Plain HTTP.
        case http
        /// HTTP over TLS.
        case https
    }

    /// The URL as given.
    public let description: String
    /// The scheme.
    public let scheme: Scheme
    /// The path, with percent-encoding taken off.
    public let path: String

    /// Parses a URL.
    /// - Throws: `invalidArgument` for another scheme, blanks or control characters, a missing host (http, https) or a
    ///   path that is not absolute (file).
    public init(_ text: String) throws(DevhostError) {
        func refused(_ reason: String) -> DevhostError {
            DevhostError(
                .invalidArgument, "\(text.quoted) is not a usable URL: \(reason)",
                next: "use http://HOST/PATH, https://HOST/PATH or file:///PATH")
        }
        guard text.utf8.count <= 4096 else { throw refused("it is longer than 4096 bytes") }
        guard
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
        else { throw refused("it holds characters that a URL must escape") }
        guard let url = URL(string: text), let scheme = url.scheme.flatMap({ Scheme(rawValue: $0.lowercased()) }) else {
            throw refused("unknown scheme")
        }
        let host = url.host() ?? ""
        switch scheme {
        case .file:
            guard host.isEmpty || host == "localhost" else { throw refused("a file URL names no host") }
            guard url.path.hasPrefix("/") else { throw refused("the path is not absolute") }
        case .http, .https:
            guard !host.isEmpty, !host.hasPrefix("-") else { throw refused("there is no host") }
        }
        guard !text.contains("%00") else { throw refused("the path holds a NUL") }
        description = text
        self.scheme = scheme
        path = url.path
    }

    /// Refuses a URL that holds a user name or a password: records and catalogs keep it, for everybody to read. A query
    /// is taken, although it may be a signature: without it the resource could not be had again.
    /// - Throws: `refused`, without the secret.
    package func requireNoCredentials(as what: String) throws(DevhostError) {
        guard let components = URLComponents(string: description), components.user == nil, components.password == nil
        else {
            throw DevhostError(
                .refused,
                "\(redacted) cannot be the \(what): it holds a user name or a password, and the records and catalogs that "
                    + "it would stand in are readable by everyone on the devhost",
                next: "have it served to the devhost's address without one, or put the file into a folder of "
                    + "[images] file-folders and name it by a file:// URL")
        }
    }

    /// The URL without user name, password and query, which may be secrets: for messages.
    public var redacted: String {
        guard var components = URLComponents(string: description) else { return scheme.rawValue + ":…" }
        components.user = nil
        components.password = nil
        if components.query != nil { components.query = "…" }
        return components.string ?? scheme.rawValue + ":…"
    }
}

extension ResourceURL: Codable {
    /// Decodes a URL with the same check as ``init(_:)``.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in try ResourceURL(text) }
    }

    /// Encodes the URL as given.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}
