#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a command came from, by what the kernel knows of this process and those above it. Nothing of it is taken from
/// an environment, which callers make up as they like: sudo hands on no `SSH_CONNECTION`, and none would be believed.
package struct CallerOrigin: Sendable, Hashable {
    /// The names of the processes above this one, the nearest first, as they call themselves.
    package let parents: [String]
    /// The address that the ssh server above this process talks to; nil where there is none. Whoever lets go of the
    /// session first (setsid, a daemon) has none, and nobody can have another's.
    package let address: String?
    /// The controlling terminal, for instance `pts/3`; nil where there is none.
    package let terminal: String?

    /// Looks at `/proc`, or at a folder that looks like it.
    package static func current(proc: String = "/proc", process: Int32 = getpid()) -> CallerOrigin {
        var parents: [String] = []
        var address: String?
        let own = ProcessStatus(proc: proc, process)
        var next = own?.parent
        // A process that ends while this looks breaks the chain; a bound keeps reused numbers from a circle.
        while let process = next, process > 0, parents.count < 16, let status = ProcessStatus(proc: proc, process) {
            parents.append(status.name)
            if address == nil, status.isServer { address = peer(proc: proc, of: process) }
            next = status.parent
        }
        return CallerOrigin(parents: parents, address: address, terminal: own?.terminal)
    }

    /// The other end of the first TCP connection that a process holds.
    private static func peer(proc: String, of process: Int32) -> String? {
        let folder = "\(proc)/\(process)/fd"
        let links = ((try? Files.names(in: folder)) ?? []).compactMap { Self.link("\(folder)/\($0)") }
        let sockets = Set(
            links.filter { $0.hasPrefix("socket:[") && $0.hasSuffix("]") }.map { String($0.dropFirst(8).dropLast()) })
        guard !sockets.isEmpty else { return nil }
        for table in ["tcp", "tcp6"] {
            guard let text = try? Files.readText("\(proc)/\(process)/net/\(table)") else { continue }
            for line in text.split(separator: "\n").dropFirst() {
                let fields = line.split(separator: " ")
                // The fourth column is the state, 01 for a connection; the tenth the socket (proc(5), /proc/net/tcp).
                guard fields.count > 9, fields[3] == "01", sockets.contains(String(fields[9])) else { continue }
                return Self.address(fields[2])
            }
        }
        return nil
    }

    /// An address and a port as /proc/net/tcp shows them: 32 bits at a time in the machine's byte order.
    static func address(_ text: Substring) -> String? {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let digits = Array(text[..<colon])
        guard digits.count == 8 || digits.count == 32 else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 8) {
            guard let word = UInt32(String(digits[start..<start + 8]), radix: 16) else { return nil }
            withUnsafeBytes(of: word) { bytes += $0 }
        }
        // An IPv4 connection of a server that listens on IPv6 (RFC 4291, 2.5.5.2).
        if bytes.count == 16, bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]) {
            bytes = Array(bytes.suffix(4))
        }
        var output = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, bytes, &output, socklen_t(output.count)) != nil else { return nil }
        return String(decoding: output.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// What the kernel says of a process (proc(5), /proc/PID/stat).
    private struct ProcessStatus {
        let name: String
        let parent: Int32
        let terminal: String?
        /// Whether it is an ssh server that root runs.
        let isServer: Bool

        init?(proc: String, _ process: Int32) {
            guard let text = try? Files.readText("\(proc)/\(process)/stat", limit: 8192),
                let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")")
            else { return nil }
            name = String(text[text.index(after: open)..<close])
            let fields = text[text.index(after: close)...].split(separator: " ")
            guard fields.count > 4, let parent = Int32(fields[1]), let device = Int32(fields[4]) else { return nil }
            self.parent = parent
            terminal = Self.terminal(UInt32(bitPattern: device))
            isServer = (name == "sshd" || name == "sshd-session") && Self.isRoots("\(proc)/\(process)/status")
        }

        /// Whether all users of a process are root (the line `Uid:`). The owner of its folder does not tell: the kernel
        /// gives root those of processes that let nobody look into their memory, whoever runs them.
        private static func isRoots(_ path: String) -> Bool {
            guard let text = try? Files.readText(path, limit: 64 << 10),
                let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Uid:") })
            else { return false }
            let users = line.split(whereSeparator: \.isWhitespace).dropFirst()
            return users.count == 4 && users.allSatisfy { $0 == "0" }
        }

        /// A device number as the kernel's old form has it: major 136 to 143 for pseudo terminals, 4 for consoles
        /// (Documentation/admin-guide/devices.txt of the kernel).
        private static func terminal(_ device: UInt32) -> String? {
            let major = device >> 8 & 0xfff
            let minor = device & 0xff | device >> 12 & 0xfff00
            switch major {
            case 136...143: return "pts/\((major - 136) << 8 + minor)"
            case 4: return minor < 64 ? "tty\(minor)" : "ttyS\(minor - 64)"
            default: return nil
            }
        }
    }
}
