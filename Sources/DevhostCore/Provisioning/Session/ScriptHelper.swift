#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The small program that a verb in the script, or rsync, starts: it hands its standard files and the call to the
/// session and ends with the status that the session answers. The program is whichever executable begins with
/// ``runIfAsked(_:)``.
public enum ScriptHelper {
    /// The first argument that asks for a verb; socket and a file with the call's fields follow.
    static let verbWord = "__verb"
    /// The first argument with which rsync asks for its way into the guest; socket, number, and rsync's words follow.
    static let transportWord = "__transport"

    /// Carries a call out if the arguments ask for one.
    /// - Parameter arguments: The process's, with its name first.
    /// - Returns: The status to exit with; nil where the arguments are none of the helper's.
    public static func runIfAsked(_ arguments: [String]) -> Int32? {
        guard arguments.count >= 4 else { return nil }
        do {
            switch arguments[1] {
            case verbWord: return try call(arguments[2], Files.read(arguments[3]))
            case transportWord:
                let fields = [ScriptCall.Kind.transport.rawValue] + arguments[3...]
                return try call(arguments[2], fields.flatMap { Array($0.utf8) + [0] })
            default: return nil
            }
        } catch {
            say("devhost-provision: \(error)\n")
            return 255
        }
    }

    private static func call(_ path: String, _ call: [UInt8]) throws -> Int32 {
        // A reader of the output that has gone is the session's business.
        signal(SIGPIPE, SIG_IGN)
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
            // A script can close its standard files (`RUN x >&-`): then they lead nowhere.
            _ = open("/dev/null", O_RDWR)
        }
        // What a session that is killed has not read yet resets the connection: that is an error, and no less an end.
        guard let status = try? answer(to: call, path) else { return endScript() }
        return Int32(status)
    }

    /// - Returns: nil where the session is gone.
    private static func answer(to call: [UInt8], _ path: String) throws -> UInt8? {
        let socket = try UnixSocket.connect(path)
        try UnixSocket.send([0, 1, 2], over: socket)
        try socket.write(call, path: path)
        shutdown(socket.number, Int32(SHUT_WR))
        return try socket.read(upTo: 1, path: path).first
    }

    /// The session is gone, killed perhaps: a script that caught the verb's failure would go on without it. The script
    /// leads the process group that this process is in.
    private static func endScript() -> Int32 {
        say("devhost-provision: the run has ended\n")
        kill(0, SIGTERM)
        return 255
    }

    private static func say(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(2, bytes, bytes.count)
    }
}
