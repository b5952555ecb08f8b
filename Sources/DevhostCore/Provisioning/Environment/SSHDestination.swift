/// A host as people name it for ssh: `[USER@]HOST[:PORT]`, `ssh://[USER@]HOST[:PORT]`, an IPv6 address in brackets or,
/// without a port, as it is.
package struct SSHDestination: Sendable, Hashable {
    /// The user; nil for the one that ssh's configuration says.
    package let user: String?
    /// The host's name or address, without brackets.
    package let host: String
    /// The port; nil for the one that ssh's configuration says.
    package let port: UInt16?

    /// Parses it.
    /// - Throws: `invalidArgument` for what ssh, or a file of its configuration, would take for something else.
    package init(_ text: String) throws(DevhostError) {
        func refuse(_ reason: String) -> DevhostError {
            DevhostError(
                .invalidArgument, "\(text.quoted) is not a host for ssh: \(reason)",
                next: "write [USER@]HOST[:PORT], and an IPv6 address with a port in brackets")
        }
        var rest = text[...]
        if rest.hasPrefix("ssh://") { rest = rest.dropFirst(6) }
        var user: String?
        if let at = rest.lastIndex(of: "@") {
            user = String(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        var port: Substring?
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { throw refuse("a bracket is not closed") }
            let after = rest[rest.index(after: end)...]
            guard after.isEmpty || after.first == ":" else { throw refuse("something follows the bracket") }
            if !after.isEmpty { port = after.dropFirst() }
            rest = rest[..<end].dropFirst()
            guard rest.contains(":") else { throw refuse("brackets are for IPv6 addresses") }
        } else if let colon = rest.firstIndex(of: ":"), colon == rest.lastIndex(of: ":") {
            port = rest[rest.index(after: colon)...]
            rest = rest[..<colon]
        }
        if let port {
            guard port.utf8.allSatisfy(Ascii.isDigit), let number = UInt16(port), number > 0 else {
                throw refuse("\(String(port).quoted) is no port")
            }
            self.port = number
        } else {
            self.port = nil
        }
        host = String(rest)
        self.user = user
        guard !host.isEmpty, !host.hasPrefix("-"), host.utf8.allSatisfy(Self.isOfHost) else {
            throw refuse(host.isEmpty ? "there is no host" : "\(host.quoted) is no name or address")
        }
        guard !host.contains(":") || (try? IPv6Address(host)) != nil else {
            throw refuse("\(host.quoted) is no IPv6 address")
        }
        if let user, user.isEmpty || user.hasPrefix("-") || !user.utf8.allSatisfy(Self.isOfUser) {
            throw refuse("\(user.quoted) is no user's name")
        }
    }

    /// The words with which ssh is called, after its options. An address of IPv6 with a port has no form as one word that
    /// ssh 9.2 takes.
    package var arguments: [String] {
        (user.map { ["-l", $0] } ?? []) + (port.map { ["-p", String($0)] } ?? []) + ["--", host]
    }

    /// What ProxyJump takes.
    package var jump: String {
        (user.map { "\($0)@" } ?? "") + bracketed + (port.map { ":\($0)" } ?? "")
    }

    private var bracketed: String { host.contains(":") ? "[\(host)]" : host }

    /// What names, addresses and names of ssh's configuration are made of. The zone of an IPv6 address is none of it: ssh
    /// takes the percent sign for one of its own.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        Ascii.isName(byte) || "-.:+".utf8.contains(byte) || byte >= 0x80
    }

    private static func isOfUser(_ byte: UInt8) -> Bool {
        Ascii.isName(byte) || "-.+@".utf8.contains(byte) || byte >= 0x80
    }
}
