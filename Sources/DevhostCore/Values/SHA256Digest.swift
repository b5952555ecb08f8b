#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A SHA-256 digest.
public struct SHA256Digest: Hashable, Sendable, CustomStringConvertible {
    /// The 64 lower-case hex digits.
    public let description: String

    package init(bytes: some Sequence<UInt8>) {
        description = bytes.reduce(into: "") { $0 += ($1 < 16 ? "0" : "") + String($1, radix: 16) }
    }

    /// Parses 64 hex digits.
    /// - Throws: `invalidArgument` for anything else.
    public init(hex text: String) throws(DevhostError) {
        guard text.utf8.count == 64, text.utf8.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) else {
            throw DevhostError(.invalidArgument, "\(text.quoted) is not a SHA-256 digest in hex")
        }
        description = text.lowercased()
    }

    /// The form of release metadata: `sha256-` and base64 of the 64 hex digits, as catalogs publish it.
    public var subresourceIntegrity: String { "sha256-" + Data(description.utf8).base64EncodedString() }

    /// Parses the form of release metadata: `sha256-` and base64, of the 32 bytes or of the 64 hex digits (both are
    /// published in practice).
    /// - Throws: `invalidArgument` for anything else.
    public init(subresourceIntegrity text: String) throws(DevhostError) {
        let prefix = "sha256-"
        guard text.hasPrefix(prefix), let data = Data(base64Encoded: String(text.dropFirst(prefix.count))) else {
            throw DevhostError(.invalidArgument, "\(text.quoted) is not a hash of the form sha256-BASE64")
        }
        switch data.count {
        case 32: self.init(bytes: data)
        case 64: try self.init(hex: String(decoding: data, as: UTF8.self))
        default:
            throw DevhostError(
                .invalidArgument, "\(text.quoted) holds \(data.count) bytes where a SHA-256 digest has 32")
        }
    }
}

extension SHA256Digest: Codable {
    /// Decodes 64 hex digits.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in try SHA256Digest(hex: text) }
    }

    /// Encodes 64 hex digits.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}
