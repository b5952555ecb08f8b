#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The addresses of this machine.
package struct HostAddresses: Sendable, Hashable {
    package var ipv4: [IPv4Address] = []
    package var ipv6: [IPv6Address] = []
    /// The addresses that stand for everybody in one of its networks, this machine among them.
    package var broadcast: [IPv4Address] = []

    /// The addresses of every interface but the one named, sorted; without those that never leave the machine
    /// (127.0.0.0/8 and ::1, which a kernel drops where they arrive from outside).
    package static func current(without bridge: String) throws -> HostAddresses {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { throw DevhostError.posix("cannot list the addresses of this machine") }
        defer { freeifaddrs(list) }
        var result = HostAddresses()
        var next = list
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard let address = entry.ifa_addr, String(cString: entry.ifa_name) != bridge else { continue }
            switch Int32(address.pointee.sa_family) {
            case AF_INET:
                let own = ipv4(address)
                if own.bits >> 24 == 127 { continue }
                result.ipv4.append(own)
                if entry.ifa_flags & UInt32(IFF_BROADCAST) != 0, let mask = entry.ifa_netmask.map(ipv4) {
                    result.broadcast.append(IPv4Address(bits: own.bits | ~mask.bits))
                }
            case AF_INET6:
                address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    let bytes = withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) }
                    let halves = [bytes[0..<8], bytes[8..<16]].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
                    // A link-local address of another interface is not to be reached from the VMs' bridge.
                    let isLoopback = halves == [0, 1]
                    if !isLoopback, halves[0] >> 54 != 0xfe80 >> 6 {
                        result.ipv6.append(IPv6Address(network: halves[0], interface: halves[1]))
                    }
                }
            default: break
            }
        }
        result.ipv4 = Set(result.ipv4).sorted()
        result.broadcast = Set(result.broadcast).subtracting(result.ipv4).sorted()
        result.ipv6 = Set(result.ipv6).sorted { $0.description < $1.description }
        return result
    }

    private static func ipv4(_ address: UnsafeMutablePointer<sockaddr>) -> IPv4Address {
        address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
            IPv4Address(bits: UInt32(bigEndian: $0.pointee.sin_addr.s_addr))
        }
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
