#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A TCP connection, with limits on everything. Its calls block.
package final class TCPConnection {
    private let file: FileDescriptor

    private init(_ file: FileDescriptor) { self.file = file }

    /// Connects; nil where nobody answers within the limit, or the connection is refused.
    package static func open(_ address: IPv4Address, port: UInt16, limit: Duration) throws -> TCPConnection? {
        let (file, failure) = try attempt(address, port: port, limit: limit)
        return failure == 0 ? TCPConnection(file) : nil
    }

    /// Whether anything answers within the limit, be it by refusing the connection.
    package static func isAnswered(_ address: IPv4Address, port: UInt16, limit: Duration) throws -> Bool {
        [0, ECONNREFUSED].contains(try attempt(address, port: port, limit: limit).failure)
    }

    /// - Returns: A socket and the error number of its connection, 0 for none.
    private static func attempt(
        _ address: IPv4Address, port: UInt16, limit: Duration
    ) throws -> (file: FileDescriptor, failure: Int32) {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(AF_INET, type, 0)
        guard number >= 0 else { throw DevhostError.posix("cannot make a socket") }
        let file = FileDescriptor(owning: number)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = port.bigEndian
        target.sin_addr.s_addr = address.bits.bigEndian
        let result = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result == 0 { return (file, 0) }
        guard errno == EINPROGRESS else { return (file, errno) }
        guard wait(file, for: POLLOUT, limit: limit) else { return (file, ETIMEDOUT) }
        var failure: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(number, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 else { return (file, errno) }
        return (file, failure)
    }

    /// Reads up to `count` bytes: fewer at the end of the stream or of the limit.
    package func read(upTo count: Int, limit: Duration) -> [UInt8] {
        let deadline = ContinuousClock.now + limit
        var result: [UInt8] = []
        while result.count < count, Self.wait(file, for: POLLIN, limit: deadline - .now),
            let part = try? file.read(upTo: count - result.count, path: "socket"), !part.isEmpty
        {
            result += part
        }
        return result
    }

    private static func wait(_ file: FileDescriptor, for event: Int32, limit: Duration) -> Bool {
        let (seconds, attoseconds) = limit.components
        let milliseconds = max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        var polled = pollfd(fd: file.number, events: Int16(event), revents: 0)
        return poll(&polled, 1, Int32(clamping: milliseconds)) == 1
    }
}
