#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The helper at the other end of the socket, with the standard files of the verb that started it.
final class ScriptCaller: Sendable {
    private let socket: FileDescriptor
    private let files: [FileDescriptor]
    /// Hangs up when the run ends.
    private let cancellation: Int32

    /// Takes over the helper's files. Blocks until it has sent them.
    init(_ socket: FileDescriptor, cancellation: Int32) throws {
        var polled = [
            pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: cancellation, events: 0, revents: 0),
        ]
        _ = poll(&polled, 2, 10_000)
        guard polled[0].revents & Int16(POLLIN) != 0 else {
            throw DevhostError(.damaged, "a call of the script did not say what it wants")
        }
        files = try UnixSocket.receive(3, over: socket)
        guard files.count == 3 else { throw DevhostError(.damaged, "a call of the script came without its files") }
        self.socket = socket
        self.cancellation = cancellation
    }

    var input: Int32 { files[0].number }
    var output: Int32 { files[1].number }
    var errors: Int32 { files[2].number }
    /// What hangs up when nobody waits for the answer any more.
    var watched: [Int32] { [socket.number, cancellation] }

    /// Whether the verb was given an input; the script's own is empty.
    var hasInput: Bool {
        var mine = stat()
        var null = stat()
        guard fstat(input, &mine) == 0 else { return false }
        return stat("/dev/null", &null) != 0 || mine.st_rdev != null.st_rdev || mine.st_mode != null.st_mode
    }

    /// Reads the call to its end.
    func readCall() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let part = try socket.read(upTo: 64 << 10, path: "a call of the script")
            if part.isEmpty { return bytes }
            bytes += part
        }
    }

    /// Says something on the verb's error output.
    func say(_ text: String) {
        let bytes = Array("\(text)\n".utf8)
        _ = write(errors, bytes, bytes.count)
    }

    /// Lets the verb end.
    func answer(_ status: Int32) { try? socket.write([UInt8(truncatingIfNeeded: status)], path: "an answer") }
}
