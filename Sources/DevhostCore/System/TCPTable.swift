/// The TCP connections of this machine, as the kernel lists them (proc(5), `/proc/net/tcp` and `tcp6`).
package enum TCPTable {
    /// One connection that is open.
    package struct Connection: Sendable, Hashable {
        /// The other end's address, in its usual form.
        package let remoteAddress: String
        package let remotePort: Int
        package let localPort: Int
        /// Whose process opened or accepted it.
        package let user: UInt32

        package init(remoteAddress: String, remotePort: Int, localPort: Int, user: UInt32) {
            self.remoteAddress = remoteAddress
            self.remotePort = remotePort
            self.localPort = localPort
            self.user = user
        }
    }

    /// The connections that are established.
    /// - Throws: `permissionDenied`, `notFound` where this is no Linux.
    package static func established() throws -> [Connection] {
        let ipv4 = try Files.readText("/proc/net/tcp")
        // A machine without IPv6 has no such file.
        let ipv6 = (try? Files.readText("/proc/net/tcp6")) ?? ""
        return parse(ipv4) + parse(ipv6)
    }

    /// Reads a table: lines that are none of an established connection are left out.
    package static func parse(_ text: String) -> [Connection] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            // State 1 is TCP_ESTABLISHED (include/net/tcp_states.h).
            guard words.count > 7, words[3] == "01", let user = UInt32(words[7]) else { return nil }
            let local = words[1].split(separator: ":")
            let remote = words[2].split(separator: ":")
            guard local.count == 2, remote.count == 2, let localPort = Int(local[1], radix: 16),
                let remotePort = Int(remote[1], radix: 16), let address = address(remote[0])
            else { return nil }
            return Connection(remoteAddress: address, remotePort: remotePort, localPort: localPort, user: user)
        }
    }

    /// Addresses stand there as 32-bit words: the bytes as the network sends them, read in the machine's own order.
    private static func address(_ text: Substring) -> String? {
        var words: [UInt32] = []
        var rest = text
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            words.append(UInt32(bigEndian: word))
            rest = rest.dropFirst(8)
        }
        switch words.count {
        case 1: return IPv4Address(bits: words[0]).description
        // An IPv4 connection of a socket for both: ::ffff:a.b.c.d.
        case 4 where words[0] == 0 && words[1] == 0 && words[2] == 0xffff:
            return IPv4Address(bits: words[3]).description
        case 4:
            return IPv6Address(
                network: UInt64(words[0]) << 32 | UInt64(words[1]), interface: UInt64(words[2]) << 32 | UInt64(words[3])
            ).description
        default: return nil
        }
    }
}
