#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The writing end of a pipe that never makes its owner wait.
final class NonblockingWriter {
    private static let capacity = 256 << 10

    private var descriptor: FileDescriptor?
    private var pending: [UInt8] = []
    /// How many of them are written; they go once they are the most, so that no byte is moved again and again.
    private var written = 0
    private var closesWhenFlushed = false

    /// Takes over the pipe's end.
    func take(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
        _ = fcntl(descriptor.number, F_SETFL, O_NONBLOCK)
    }

    var number: Int32 { descriptor?.number ?? -1 }
    var hasPending: Bool { descriptor != nil && written < pending.count }
    /// Whether more can be queued without holding all of a long input in memory.
    var canQueue: Bool { descriptor != nil && !closesWhenFlushed && pending.count - written < Self.capacity }

    func queue(_ bytes: [UInt8]) {
        pending += bytes
        flush()
    }

    /// Queues what a descriptor has to give; false at its end.
    func take(from source: Int32) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(source, &buffer, buffer.count)
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        if count > 0 { queue(Array(buffer[..<count])) }
        return count > 0
    }

    /// Writes what the pipe takes.
    func flush() {
        guard let descriptor else { return }
        while written < pending.count {
            let count = pending.withUnsafeBytes { buffer in
                buffer.baseAddress.map { write(descriptor.number, $0 + written, buffer.count - written) } ?? 0
            }
            if count > 0 {
                written += count
            } else if errno == EINTR {
                continue
            } else if errno == EAGAIN {
                break
            } else {
                return close()
            }
        }
        if written > pending.count / 2 {
            pending.removeFirst(written)
            written = 0
        }
        if closesWhenFlushed && !hasPending { close() }
    }

    func closeWhenFlushed() {
        closesWhenFlushed = true
        if !hasPending { close() }
    }

    func close() {
        descriptor = nil
        pending = []
        written = 0
    }
}
