#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The addresses of this machine.
package struct HostAddresses: Sendable, Hashable {
    package var ipv4: [IPv4Address] = []
    package var ipv6: [IPv6Address] = []

    /// The addresses of every interface but the loopback and the one named, sorted.
    package static func current(without bridge: String) throws -> HostAddresses {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { throw DevhostError.posix("cannot list the addresses of this machine") }
        defer { freeifaddrs(list) }
        var result = HostAddresses()
        var next = list
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard let address = entry.ifa_addr, String(cString: entry.ifa_name) != bridge,
                entry.ifa_flags & UInt32(IFF_LOOPBACK) == 0
            else { continue }
            switch Int32(address.pointee.sa_family) {
            case AF_INET:
                address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    result.ipv4.append(IPv4Address(bits: UInt32(bigEndian: $0.pointee.sin_addr.s_addr)))
                }
            case AF_INET6:
                address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    let bytes = withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) }
                    let halves = [bytes[0..<8], bytes[8..<16]].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
                    // A link-local address of another interface is not to be reached from the VMs' bridge.
                    if halves[0] >> 54 != 0xfe80 >> 6 {
                        result.ipv6.append(IPv6Address(network: halves[0], interface: halves[1]))
                    }
                }
            default: break
            }
        }
        result.ipv4 = Set(result.ipv4).sorted()
        result.ipv6 = Set(result.ipv6).sorted { $0.description < $1.description }
        return result
    }

    /// The ports from which this machine opens connections; Linux's default where it does not say.
    package static func ephemeralPorts() -> ClosedRange<Int> {
        let path = "/proc/sys/net/ipv4/ip_local_port_range"
        let numbers = ((try? Files.readText(path, limit: 64)) ?? "").split(whereSeparator: \.isWhitespace)
            .compactMap { Int($0) }
        guard numbers.count == 2, numbers[0] <= numbers[1] else { return 32768...60999 }
        return numbers[0]...numbers[1]
    }
}
