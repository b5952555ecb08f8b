import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A program that runs beside this one, in a process group of its own, until it ends or is ended.
package final class ChildProcess: Sendable {
    private struct State {
        var status: Int32?
        var waiting: [CheckedContinuation<Int32, Never>] = []
    }

    package let id: pid_t
    private let state = Mutex(State())

    /// Starts a program with the given descriptors as its standard ones; they remain the caller's.
    package init(
        _ command: Command, input: Int32, output: Int32, errors: Int32, inNewSession: Bool = false
    ) throws {
        let program = try Processes.find(command.program)
        try Effects.announce(.process, ([command.program] + command.arguments).joined(separator: " "))
        id = try Processes.spawn(
            program, command, files: (input, output, errors, nil), inNewSession: inNewSession)
        Blocking.start { self.reap() }
    }

    /// The exit status, once it has ended.
    package var status: Int32? { state.withLock { $0.status } }

    /// Waits for the end.
    /// - Returns: The exit status, or 128 and the signal's number.
    package func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status = state.withLock { state in
                if state.status == nil { state.waiting.append(continuation) }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    /// Sends a signal to the program and all that it started, unless it has ended.
    package func signal(_ number: Int32) {
        state.withLock { state in
            // Until it is reaped, under this lock, its number is nobody else's.
            if state.status == nil { kill(-id, number) }
        }
    }

    /// Waits for the end; blocks. The program is ended when one of the given descriptors hangs up.
    package func wait(endingWhenClosed watched: [Int32]) -> Int32 {
        var watched = watched
        while true {
            if let status { return status }
            // The end itself shows in no descriptor: it is looked for every few milliseconds.
            var polled = watched.map { pollfd(fd: $0, events: 0, revents: 0) }
            _ = poll(&polled, nfds_t(polled.count), 5)
            if polled.contains(where: { $0.revents != 0 }) {
                signal(SIGTERM)
                watched = []
            }
        }
    }

    /// Whether processes of its group are left, it itself among them or not.
    package var hasGroup: Bool { kill(-id, 0) == 0 }

    /// Sends a signal to what is left of its group after its own end.
    package func signalGroup(_ number: Int32) { kill(-id, number) }

    private func reap() {
        var information = siginfo_t()
        while waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
        let (status, waiting) = state.withLock { state in
            var status: Int32 = 0
            while waitpid(id, &status, 0) < 0 && errno == EINTR {}
            let result = Processes.exitStatus(status)
            state.status = result
            let waiting = state.waiting
            state.waiting = []
            return (result, waiting)
        }
        for continuation in waiting { continuation.resume(returning: status) }
    }
}
