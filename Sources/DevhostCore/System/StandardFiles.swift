#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One of the files that every process is started with.
package enum StandardFile: Int32, Sendable {
    case output = 1
    case errors = 2

    /// Whether it is a terminal.
    package var isTerminal: Bool { isatty(rawValue) == 1 }

    /// The width of the terminal in columns; nil where there is none or it does not tell.
    package var columns: Int? {
        var size = winsize()
        guard isTerminal, ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Whether anybody still reads: false for a pipe or a connection whose other end is closed.
    package var hasReader: Bool {
        var polled = pollfd(fd: rawValue, events: 0, revents: 0)
        return poll(&polled, 1, 0) == 0
    }

    /// Writes all bytes.
    /// - Returns: False where nobody reads any more.
    /// - Throws: `insufficientSpace` and what else a write can fail with.
    package func write(_ bytes: [UInt8]) throws(DevhostError) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EPIPE: return false
            case EAGAIN:
                // ssh leaves pipes that it shares with others in non-blocking mode.
                var polled = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
                _ = poll(&polled, 1, -1)
            default: throw DevhostError.posix("cannot write the output")
            }
        }
        return true
    }
}

/// What a process does with its standard files and its environment when it starts and ends.
package enum StandardFiles {
    /// Opens those of the standard files that the caller closed, so that no other file gets their numbers, and lets a
    /// write to a reader that has gone fail instead of ending the process.
    package static func prepare() {
        for number: Int32 in 0...2 where fcntl(number, F_GETFD) < 0 {
            // The lowest free number is given out: this one, because those below it are open.
            _ = open("/dev/null", number == 0 ? O_RDONLY : O_WRONLY)
        }
        signal(SIGPIPE, SIG_IGN)
    }

    /// Who called this process.
    package static func caller() -> Caller {
        var environment: [String: String] = [:]
        if let text = getenv("SUDO_UID") { environment["SUDO_UID"] = String(cString: text) }
        return Caller.current(environment: environment)
    }

    /// Ends the process.
    package static func exit(_ status: Int32) -> Never { Glibc.exit(status) }
}
