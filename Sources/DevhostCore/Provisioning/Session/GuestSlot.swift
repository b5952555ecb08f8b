import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One ssh channel with an agent at its other end. It carries one request at a time.
final class GuestSlot: @unchecked Sendable {
    // Unchecked: whoever takes the slot from the connection's pool is the only one to use it until it is back. Others may
    // close and kill it at any time, and never touch a descriptor that a request is just using.
    private struct State {
        var isUsable = true
        var isBusy = false
        var closesAfterwards = false
    }

    private let process: ChildProcess
    private let input = NonblockingWriter()
    private let output: FileDescriptor
    private let errors: FileDescriptor
    private let state = Mutex(State())
    /// Whether the next request can be sent.
    var isUsable: Bool { state.withLock { $0.isUsable } }
    /// What was said last on the error channel when the connection ended: ssh's own words. Where a caller takes the
    /// channel, it has them, mixed with a command's, and nothing is kept here.
    private(set) var lastWords = ""

    /// Whether the whole connection rests on this channel, so that it stays open also when it is of no use.
    let isMaster: Bool

    /// Starts ssh, and sends it the agent.
    init(_ command: Command, isMaster: Bool) throws {
        self.isMaster = isMaster
        let (input, output, errors) = (try Pipe(), try Pipe(), try Pipe())
        process = try ChildProcess(
            command, input: input.reader, output: output.writer, errors: errors.writer, inNewSession: true)
        self.input.take(input.handOverWriter())
        self.output = output.handOverReader()
        self.errors = errors.handOverReader()
        self.input.queue(Array(GuestAgent.text.utf8))
    }

    /// Takes the channel out of use. Unless the connection rests on it, the agent reads the end of its input and leaves.
    private func retire() {
        state.withLock { $0.isUsable = false }
        if !isMaster { input.close() }
    }

    /// Ends the channel once the request that it carries has ended: the agent reads the end of its input and leaves.
    func close() {
        state.withLock { state in
            state.isUsable = false
            if state.isBusy { state.closesAfterwards = true } else { input.close() }
        }
    }

    /// Ends ssh itself, and with it the request that the channel carries.
    func kill() { process.signal(SIGTERM) }

    /// Waits for ssh to end.
    func wait() async { _ = await process.wait() }

    /// Sends a request and moves bytes until it has ended. Blocks.
    /// - Throws: `unavailable` when the channel ends before the command does, or the answer is none that can be.
    func carryOut(_ exchange: Exchange) throws -> Exchange.Outcome {
        let isUsable = state.withLock { state in
            state.isBusy = state.isUsable
            return state.isUsable
        }
        guard isUsable else { throw DevhostError(.unavailable, "the connection has been closed") }
        defer {
            state.withLock { state in
                state.isBusy = false
                if state.closesAfterwards { input.close() }
            }
        }
        return try exchangeBytes(exchange)
    }

    private func exchangeBytes(_ exchange: Exchange) throws -> Exchange.Outcome {
        var outcome = Exchange.Outcome()
        var output = Stream(mark: exchange.mark, sink: exchange.output)
        var errors = Stream(mark: exchange.mark, sink: exchange.errors)
        var source = exchange.source.descriptor
        var watched: [Int32] = exchange.watched
        var ladder = KillLadder()
        let deadline = exchange.limit.map { ContinuousClock.now + $0 }
        input.queue(exchange.request)

        while true {
            if output.scanner.end != nil, errors.scanner.end != nil, output.isFlushed, errors.isFlushed { break }
            if output.isAtEnd || errors.isAtEnd, output.isFlushed, errors.isFlushed {
                state.withLock { $0.isUsable = false }
                lastWords = errors.lastWords
                throw DevhostError(.unavailable, "ssh has ended")
            }
            if output.scanner.isBroken || errors.scanner.isBroken || output.isTooLong {
                state.withLock { $0.isUsable = false }
                throw DevhostError(
                    .unavailable,
                    output.isTooLong
                        ? "the VM answers with more than \(Stream.answerLimit) bytes where a line was asked for"
                        : "the VM answers with what is not our agent's")
            }
            if let deadline, ContinuousClock.now > deadline {
                state.withLock { $0.isUsable = false }
                throw DevhostError(.timedOut, "there was no answer")
            }
            if outcome.isCancelled, exchange.endsAtOnce || output.scanner.processGroup == nil && ladder.isOverdue {
                state.withLock { $0.isUsable = false }
                throw DevhostError(.failed, "the run has ended")
            }
            if ladder.isRunning, let group = output.scanner.processGroup, let signal = ladder.due() {
                if signal == 0 {
                    state.withLock { $0.isUsable = false }
                    outcome.status = 128 + SIGKILL
                    return outcome
                }
                exchange.signal(group, signal)
            }
            var polled = [
                pollfd(fd: output.isReading ? self.output.number : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errors.isReading ? self.errors.number : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: input.hasPending ? input.number : -1, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: input.canQueue ? source ?? -1 : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: output.writing ?? -1, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: errors.writing ?? -1, events: Int16(POLLOUT), revents: 0),
            ]
            polled += watched.map { pollfd(fd: $0, events: 0, revents: 0) }
            _ = poll(&polled, nfds_t(polled.count), ladder.isRunning ? 50 : deadline == nil ? -1 : 1000)

            if polled[0].revents != 0 { output.read(self.output.number) }
            if polled[1].revents != 0 {
                errors.read(self.errors.number)
                errors.shorten()
            }
            if polled[2].revents != 0 { input.flush() }
            if polled[3].revents != 0, let descriptor = source, !input.take(from: descriptor) {
                source = nil
                if exchange.source.endsInput { input.closeWhenFlushed() }
            }
            if polled[4].revents != 0 { output.write() }
            if polled[5].revents != 0 { errors.write() }
            for index in watched.indices where polled[6 + index].revents != 0 {
                ladder.start(with: SIGTERM)
                outcome.isCancelled = true
                watched = []
                break
            }
            // Nobody reads the output any more: the command is told as a pipe would tell it.
            if output.isBroken, !ladder.isRunning { ladder.start(with: SIGPIPE) }
        }
        let end = output.scanner.end ?? (255, true)
        outcome.status = output.isBroken && end.status == 128 + SIGPIPE ? 128 + SIGPIPE : end.status
        outcome.output = output.collected
        outcome.errors = errors.collected
        if end.isHeld || input.hasPending || exchange.source.endsInput { retire() }
        return outcome
    }
}

/// What is sent to an agent, and where its streams go.
struct Exchange {
    /// Where a command's input comes from.
    struct Source {
        /// What is read; nil for no input.
        var descriptor: Int32?
        /// Whether the end of what is read ends the command's input, and with it the slot.
        var endsInput = false
    }

    /// How a request ended.
    struct Outcome {
        var status: Int32 = 0
        var isCancelled = false
        var output: [UInt8] = []
        var errors: [UInt8] = []
    }

    var mark: [UInt8]
    var request: [UInt8]
    var source = Source()
    /// Where the output goes; nil collects it.
    var output: Int32?
    /// Where the error output goes; nil collects it.
    var errors: Int32?
    /// Descriptors whose other end closes when the request is to be given up.
    var watched: [Int32] = []
    /// Whether nothing in the guest is to be ended first when the request is given up.
    var endsAtOnce = false
    /// How long the answer may take; nil for as long as it takes.
    var limit: Duration?
    /// Sends a signal to the process group in the guest.
    var signal: (_ group: Int32, _ signal: Int32) -> Void = { _, _ in }
}

// The methods of what follows have the names of these calls.
private func receive(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
private func send(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

/// The way from the agent to the one who asked.
private struct Stream {
    /// What is kept of an answer that no caller takes; beyond it the VM only means to fill our memory.
    static let answerLimit = 64 << 10

    var scanner: TrailerScanner
    let sink: Int32?
    var pending: [UInt8] = []
    var collected: [UInt8] = []
    var isAtEnd = false
    var isBroken = false

    init(mark: [UInt8], sink: Int32?) {
        scanner = TrailerScanner(mark: mark)
        self.sink = sink
    }

    var isFlushed: Bool { pending.isEmpty }
    /// Whether an answer is longer than any that is asked for.
    var isTooLong: Bool { collected.count > Self.answerLimit }
    var isReading: Bool { pending.isEmpty && !isAtEnd && scanner.end == nil }
    var writing: Int32? { pending.isEmpty ? nil : sink }
    var lastWords: String { String(decoding: collected.suffix(2000), as: UTF8.self).trimmed }

    /// Keeps no more of an answer than its end.
    mutating func shorten() { if isTooLong { collected.removeFirst(collected.count - Self.answerLimit / 2) } }

    mutating func read(_ descriptor: Int32) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = receive(descriptor, &buffer, buffer.count)
        if count < 0 && (errno == EINTR || errno == EAGAIN) { return }
        guard count > 0 else {
            isAtEnd = true
            return
        }
        let bytes = scanner.add(Array(buffer[..<count]))
        if sink == nil {
            collected += bytes
        } else if !isBroken {
            pending += bytes
        }
    }

    /// Writes as much as never blocks once a pipe is writable.
    mutating func write() {
        guard let sink else { return }
        let size = min(pending.count, 4096)
        let count = pending.withUnsafeBytes { send(sink, $0.baseAddress, size) }
        if count > 0 {
            pending.removeFirst(count)
        } else if errno != EINTR && errno != EAGAIN {
            isBroken = true
            pending = []
        }
    }
}

/// How a command is ended that shall not go on: asked, then forced, then left alone.
private struct KillLadder {
    private var steps: [(signal: Int32, wait: Duration)] = []
    private var next = ContinuousClock.now
    private var start: ContinuousClock.Instant?
    var isRunning: Bool { start != nil }
    /// Whether the guest has had its time to say what could be ended.
    var isOverdue: Bool { start.map { ContinuousClock.now > $0 + .seconds(5) } ?? false }

    mutating func start(with signal: Int32) {
        start = .now
        steps = [(signal, .seconds(2)), (SIGTERM, .seconds(2)), (SIGKILL, .seconds(2)), (0, .zero)]
        next = .now
    }

    /// The signal that is to be sent now; 0 when nothing helped.
    mutating func due() -> Int32? {
        guard ContinuousClock.now >= next, let step = steps.first else { return nil }
        steps.removeFirst()
        next = .now + step.wait
        return step.signal
    }
}
