/// A name under which a VM is published: `https://<alias>.<vm>.<public address>`.
public struct Alias: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The alias as text.
    public let description: String

    /// Parses an alias.
    /// - Throws: `invalidArgument` unless it is one label of a host name, in lower case.
    public init(_ text: String) throws(DevhostError) {
        guard DNSLabel.isValid(text) else {
            throw DevhostError(.invalidArgument, "\(text.quoted) is not an alias", next: "use \(DNSLabel.rule)")
        }
        description = text
    }

    /// Parses a list of aliases separated by blanks, as `--aliases` takes it; duplicates are merged.
    ///
    /// batou 2.7.1 sends the list as one word with literal single quotes in it (`'web api'`, or two quotes for none):
    /// one pair around the whole list is taken off.
    /// - Throws: `invalidArgument` for the first word that is not an alias, and past ``most``.
    public static func parseList(_ text: String) throws(DevhostError) -> [Alias] {
        var list = Substring(text)
        if list.count >= 2, list.first == "'", list.last == "'" { list = list.dropFirst().dropLast() }
        var aliases: [Alias] = []
        var known: Set<Alias> = []
        for word in list.split(separator: " ") {
            let alias = try Alias(String(word))
            if known.insert(alias).inserted { aliases.append(alias) }
        }
        try check(aliases)
        return aliases
    }

    /// How many aliases one VM may have.
    public static let most = 1000

    /// Sees to it that a VM's record can hold these aliases.
    /// - Throws: `invalidArgument` past ``most``.
    public static func check(_ aliases: [Alias]) throws(DevhostError) {
        guard aliases.count <= most else {
            throw DevhostError(
                .invalidArgument, "\(aliases.count) aliases are too many: a VM takes \(most)",
                next: "give fewer of them")
        }
    }

    /// Orders aliases by their bytes.
    public static func < (left: Alias, right: Alias) -> Bool { left.description < right.description }
}

extension Alias: Codable {
    /// Decodes an alias with the same check as ``init(_:)``.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in try Alias(text) }
    }

    /// Encodes the alias as a string.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}
