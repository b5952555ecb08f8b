#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A public key that may log in to a VM: type, key and comment, as one line of authorized_keys without options.
public struct AuthorizedKey: Hashable, Sendable, CustomStringConvertible {
    /// The line.
    public let description: String

    static let types: Set<String> = [
        "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
    ]

    /// Parses a line as in a `.pub` file.
    /// - Throws: `invalidArgument` unless it is a known type and a key of that type (the key's own first field names
    ///   it); options in front of the type are refused.
    public init(_ text: String) throws(DevhostError) {
        let line = text.trimmed
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, Self.types.contains(String(words[0])), line.utf8.count <= 16384,
            line.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }),
            let blob = Data(base64Encoded: String(words[1])), Self.holds(type: words[0], in: blob)
        else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not a public key",
                next: "give one line of a .pub file, for instance the content of ~/.ssh/id_ed25519.pub")
        }
        description = line
    }

    /// How many keys one VM may have, and how many bytes all of them.
    public static let most = 256, mostBytes = 256 << 10

    /// Sees to it that a VM's record can hold these keys.
    /// - Throws: `invalidArgument` past ``most`` or ``mostBytes``.
    public static func check(_ keys: [AuthorizedKey]) throws(DevhostError) {
        let bytes = keys.reduce(0) { $0 + $1.description.utf8.count }
        guard keys.count <= most, bytes <= mostBytes else {
            throw DevhostError(
                .invalidArgument,
                "\(keys.count) authorized keys of \(bytes) bytes are too many: a VM takes \(most) of \(mostBytes) bytes "
                    + "in all", next: "give fewer keys, or shorter comments")
        }
    }

    /// An SSH public key starts with the length of its type in four bytes and the type (RFC 4253 section 6.6).
    private static func holds(type: Substring, in blob: Data) -> Bool {
        let name = Array(type.utf8)
        return blob.count > 4 + name.count && Array(blob.prefix(4)) == [0, 0, 0, UInt8(name.count)]
            && Array(blob.dropFirst(4).prefix(name.count)) == name
    }
}

extension AuthorizedKey: Codable {
    /// Decodes a key with the same check as ``init(_:)``.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in try AuthorizedKey(text) }
    }

    /// Encodes the line.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}
