/// Where in a VM the service behind an alias listens: written `8443` for https, `http:8080` for plain http.
public struct AliasTarget: Hashable, Sendable, CustomStringConvertible {
    /// How the devhost speaks to the VM.
    public enum Scheme: String, Sendable {
        /// https; the VM's certificate may be signed by nobody.
        case https
        /// Plain http.
        case http
    }

    /// How the devhost speaks to the VM.
    public let scheme: Scheme
    /// The port in the VM.
    public let port: UInt16

    /// Where every alias leads unless told otherwise.
    public static let standard = AliasTarget(scheme: .https, port: 443)

    private init(scheme: Scheme, port: UInt16) {
        self.scheme = scheme
        self.port = port
    }

    /// Parses `8443`, `https:8443` or `http:8080`.
    /// - Throws: `invalidArgument` for anything else.
    public init(_ text: String) throws(DevhostError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let scheme = parts.count == 2 ? Scheme(rawValue: String(parts[0])) : parts.count == 1 ? .https : nil
        let digits = parts.last ?? ""
        guard let scheme, (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(digits), port > 0
        else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not a port of a VM", next: "write it as 8443 or http:8080")
        }
        self.init(scheme: scheme, port: port)
    }

    /// The form that ``init(_:)`` takes.
    public var description: String { scheme == .https ? "\(port)" : "http:\(port)" }
}

extension AliasTarget: Codable {
    /// Decodes a target with the same check as ``init(_:)``.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in try AliasTarget(text) }
    }

    /// Encodes the target as a string.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}

/// An alias with the place that it leads to, as `--alias-port` takes it: `app=8443`.
public struct AliasPort: Hashable, Sendable {
    /// The alias.
    public let alias: Alias
    /// Where it leads.
    public let target: AliasTarget

    /// Parses `app=8443` or `app=http:8080`.
    /// - Throws: `invalidArgument` for anything else.
    public init(_ text: String) throws(DevhostError) {
        guard let equals = text.firstIndex(of: "=") else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not an alias with a port",
                next: "write it as app=8443 or app=http:8080")
        }
        alias = try Alias(String(text[..<equals]))
        target = try AliasTarget(String(text[text.index(after: equals)...]))
    }
}
