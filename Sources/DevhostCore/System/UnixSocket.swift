#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Stream sockets with a name in the file system, over which descriptors can travel.
package enum UnixSocket {
    /// Makes a socket that accepts connections under the given path. Who may enter its folder may connect.
    package static func listen(_ path: String) throws -> FileDescriptor {
        try Effects.announce(.file, "listen \(path)")
        let socket = try make()
        let result = try withAddress(path) { bind(socket.number, $0, $1) }
        guard result == 0, Glibc.listen(socket.number, 64) == 0 else {
            throw DevhostError.posix("cannot listen at \(path)")
        }
        // Who polled it must not block in accept because the caller has gone again.
        _ = fcntl(socket.number, F_SETFL, O_NONBLOCK)
        return socket
    }

    /// Connects to a socket.
    package static func connect(_ path: String) throws -> FileDescriptor {
        let socket = try make()
        guard try withAddress(path, { Glibc.connect(socket.number, $0, $1) }) == 0 else {
            throw DevhostError.posix("cannot connect to \(path)")
        }
        return socket
    }

    /// Whether somebody listens under the given path, in a folder that is somebody else's: no link is followed, and one
    /// whose queue is full is not waited for.
    package static func isListening(_ path: String) throws -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return false }
        let socket = try make()
        _ = fcntl(socket.number, F_SETFL, O_NONBLOCK)
        let result = try withAddress(path) { Glibc.connect(socket.number, $0, $1) }
        return result == 0 || errno == EAGAIN
    }

    /// Takes a connection that waits; nil where none does (any more).
    package static func accept(_ socket: FileDescriptor) -> FileDescriptor? {
        Pipe.inheritance.withLock { _ in
            let number = Glibc.accept(socket.number, nil, nil)
            guard number >= 0 else { return nil }
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            return FileDescriptor(owning: number)
        }
    }

    /// Sends one byte, and descriptors with it.
    package static func send(_ descriptors: [Int32], over socket: FileDescriptor) throws {
        var space = ControlSpace(count: descriptors.count)
        space.store(descriptors)
        var byte: UInt8 = 0
        let result = space.withMessage(&byte) { message in sendmsg(socket.number, &message, 0) }
        guard result == 1 else { throw DevhostError.posix("cannot hand descriptors over") }
    }

    /// Takes one byte, and the descriptors that came with it, at most `count`.
    package static func receive(_ count: Int, over socket: FileDescriptor) throws -> [FileDescriptor] {
        var space = ControlSpace(count: count)
        var byte: UInt8 = 0
        return try Pipe.inheritance.withLock { _ in
            var length = 0
            let result = space.withMessage(&byte) { message in
                let result = recvmsg(socket.number, &message, 0)
                length = Int(message.msg_controllen)
                return result
            }
            guard result == 1 else { throw DevhostError.posix("cannot take descriptors over") }
            let descriptors = space.load(length: length)
            for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
            return descriptors.map(FileDescriptor.init(owning:))
        }
    }

    private static func make() throws -> FileDescriptor {
        try Pipe.inheritance.withLock { _ in
            #if canImport(Glibc)
                let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            #else
                let number = socket(AF_UNIX, SOCK_STREAM, 0)
            #endif
            guard number >= 0 else { throw DevhostError.posix("cannot make a socket") }
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            return FileDescriptor(owning: number)
        }
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw DevhostError(.invalidArgument, "the path \(path.quoted) is too long for a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// The control data of a message that carries descriptors: one `cmsghdr` and the numbers after it (cmsg(3)), whose
/// macros Swift cannot call.
private struct ControlSpace {
    private static let header = MemoryLayout<cmsghdr>.size
    private var bytes: [UInt8]

    init(count: Int) {
        let alignment = MemoryLayout<Int>.alignment
        let data = (count * MemoryLayout<Int32>.size + alignment - 1) / alignment * alignment
        bytes = [UInt8](repeating: 0, count: Self.header + data)
    }

    mutating func store(_ descriptors: [Int32]) {
        var header = cmsghdr()
        header.cmsg_len = numericCast(Self.header + descriptors.count * MemoryLayout<Int32>.size)
        header.cmsg_level = SOL_SOCKET
        header.cmsg_type = Int32(Self.rights)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.storeBytes(of: header, as: cmsghdr.self)
            for (index, descriptor) in descriptors.enumerated() {
                buffer.storeBytes(of: descriptor, toByteOffset: Self.header + index * 4, as: Int32.self)
            }
        }
    }

    func load(length: Int) -> [Int32] {
        bytes.withUnsafeBytes { buffer in
            guard length >= Self.header else { return [] }
            let header = buffer.loadUnaligned(as: cmsghdr.self)
            guard header.cmsg_level == SOL_SOCKET, header.cmsg_type == Int32(Self.rights) else { return [] }
            let count = (min(Int(header.cmsg_len), length) - Self.header) / 4
            return (0..<max(0, count)).map {
                buffer.loadUnaligned(fromByteOffset: Self.header + $0 * 4, as: Int32.self)
            }
        }
    }

    mutating func withMessage(_ byte: inout UInt8, _ body: (inout msghdr) -> Int) -> Int {
        bytes.withUnsafeMutableBytes { control in
            withUnsafeMutablePointer(to: &byte) { byte in
                var vector = iovec(iov_base: UnsafeMutableRawPointer(byte), iov_len: 1)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = numericCast(control.count)
                    return body(&message)
                }
            }
        }
    }

    /// `SCM_RIGHTS`, the same number everywhere.
    private static let rights = 1
}
