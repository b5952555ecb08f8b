import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The script's output and error output: read as they come, masked, and handed on as events.
final class OutputStreams: Sendable {
    /// One of the two.
    final class Stream: Sendable {
        private struct State {
            var masker: SecretMasker
            var isAtEnd = false
        }

        private let reader: FileDescriptor
        private let ownWriter: Mutex<FileDescriptor?>
        private let channel: ProvisionEvent.Channel
        private let emit: @Sendable (ProvisionEvent) -> Void
        private let state: Mutex<State>

        init(
            _ channel: ProvisionEvent.Channel, secrets: Secrets, emit: @escaping @Sendable (ProvisionEvent) -> Void
        ) throws {
            let pipe = try Pipe()
            reader = pipe.handOverReader()
            ownWriter = Mutex(pipe.handOverWriter())
            self.channel = channel
            self.emit = emit
            state = Mutex(State(masker: SecretMasker(secrets)))
            _ = fcntl(reader.number, F_SETFL, O_NONBLOCK)
        }

        /// What the script is given; -1 once it has been started.
        var writer: Int32 { ownWriter.withLock { $0?.number ?? -1 } }

        /// Leaves the writing end to the script.
        func release() { ownWriter.withLock { $0 = nil } }

        /// Hands on what has arrived; false when no more can come.
        @discardableResult
        func drain() -> Bool {
            state.withLock { state in
                var buffer = [UInt8](repeating: 0, count: 64 << 10)
                while !state.isAtEnd {
                    let count = read(reader.number, &buffer, buffer.count)
                    if count < 0 && errno == EINTR { continue }
                    if count < 0 && errno == EAGAIN { break }
                    guard count > 0 else {
                        state.isAtEnd = true
                        break
                    }
                    show(state.masker.add(Array(buffer[..<count])))
                }
                return !state.isAtEnd
            }
        }

        /// Hands on until no more can come, or the given descriptor hangs up.
        func follow(until end: Int32) {
            while drain() {
                var polled = [
                    pollfd(fd: reader.number, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: end, events: 0, revents: 0),
                ]
                _ = poll(&polled, 2, -1)
                if polled[1].revents != 0 { break }
            }
            drain()
            state.withLock { state in show(state.masker.finish()) }
        }

        private func show(_ bytes: [UInt8]) {
            if !bytes.isEmpty { emit(.output(channel, bytes)) }
        }
    }

    let output: Stream
    let errors: Stream
    private let end: Cancellation
    private let followers = DispatchGroup()

    init(secrets: Secrets, emit: @escaping @Sendable (ProvisionEvent) -> Void) throws {
        output = try Stream(.output, secrets: secrets, emit: emit)
        errors = try Stream(.errors, secrets: secrets, emit: emit)
        end = try Cancellation()
    }

    /// Begins to read; the script has its ends.
    func start() {
        for stream in [output, errors] {
            stream.release()
            followers.enter()
            Blocking.start {
                stream.follow(until: self.end.descriptor)
                self.followers.leave()
            }
        }
    }

    /// Hands on what has arrived by now, so that what is told next stands behind it.
    func drain() {
        output.drain()
        errors.drain()
    }

    /// Hands the rest on and stops. What still holds the ends is not waited for.
    func finish() async throws {
        end.cancel()
        try await Blocking.run { self.followers.wait() }
    }
}
