import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Processes {
    /// Takes what a program writes, as it comes. It runs on one thread at a time; throwing ends the program.
    package typealias Receiver = @Sendable (UnsafeRawBufferPointer) throws -> Void

    /// Runs a program to its end and hands its output on in parts, so that none of it has to fit in memory. Cancelling
    /// the task ends the program.
    /// - Parameters:
    ///   - command: Its `input` may be up to 32 KiB; it is ignored where `input` is given.
    ///   - input: A file that becomes the standard input, read from its current place.
    ///   - limit: How long it may take; then its process group gets SIGTERM, and SIGKILL two seconds later.
    ///   - control: Takes what the program writes to its descriptor 3, always before what it wrote later to its
    ///     standard output. The program has no such descriptor where this is nil.
    ///   - receive: Takes the standard output.
    /// - Returns: The status and the last 16 KiB of the error output.
    /// - Throws: `unsupported` where it is not installed, `timedOut` past the limit, `CancellationError`, and what the
    ///   receivers throw. A failing program is not an error.
    package static func stream(
        _ command: Command, input: FileDescriptor? = nil, limit: Duration, control: Receiver? = nil,
        receive: @escaping Receiver
    ) async throws -> CommandResult {
        let program = try find(command.program)
        try Effects.announce(.process, ([command.program] + command.arguments).joined(separator: " "))
        let cancellation = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await Blocking.run {
                let stream = try ProgramStream(program, command, input: input, hasControl: control != nil)
                return try stream.run(
                    deadline: ContinuousClock.now + limit, cancellation: cancellation, control: control,
                    receive: receive)
            }
        } onCancel: {
            cancellation.isSet.store(true, ordering: .relaxed)
        }
    }
}

/// Whether the task that waits for a program has been cancelled.
private final class CancellationFlag: Sendable {
    let isSet = Atomic(false)
}

/// One program whose output is being handed on.
private final class ProgramStream {
    private static let bufferSize = 256 << 10
    private static let errorLimit = 16 << 10
    /// Linux's F_SETPIPE_SZ, which its headers show to GNU sources only; a large pipe saves switches between programs.
    private static let setPipeSize: Int32 = 1031

    private let name: String
    private let child: pid_t
    private let output: Pipe
    private let errors: Pipe
    private let control: Pipe?
    private var errorOutput: [UInt8] = []

    init(_ program: String, _ command: Command, input file: FileDescriptor?, hasControl: Bool) throws {
        name = command.program
        output = try Pipe()
        errors = try Pipe()
        control = hasControl ? try Pipe() : nil
        #if os(Linux)
            _ = fcntl(output.reader, Self.setPipeSize, 1 << 20)
        #endif
        let input = try Pipe()
        if file == nil {
            // It fits into the pipe, whose reader is still ours: this neither blocks nor meets a closed pipe.
            guard command.input.count <= 32 << 10 else {
                throw DevhostError(.failed, "cannot hand \(command.input.count) bytes to \(command.program)")
            }
            try command.input.withUnsafeBytes { bytes in
                guard bytes.isEmpty || write(input.writer, bytes.baseAddress, bytes.count) == bytes.count else {
                    throw DevhostError.posix("cannot write to \(command.program)")
                }
            }
        }
        child = try Processes.spawn(
            program, command,
            files: (file?.number ?? input.reader, output.writer, errors.writer, control?.writer))
        output.closeWriter()
        errors.closeWriter()
        control?.closeWriter()
    }

    func run(
        deadline: ContinuousClock.Instant, cancellation: CancellationFlag, control receiveControl: Processes.Receiver?,
        receive: Processes.Receiver
    ) throws -> CommandResult {
        do {
            try transfer(deadline: deadline, cancellation: cancellation, control: receiveControl, receive: receive)
        } catch {
            _ = Processes.stop(child)
            throw error
        }
        return CommandResult(status: Processes.wait(for: child), output: [], errorOutput: errorOutput)
    }

    private func transfer(
        deadline: ContinuousClock.Instant, cancellation: CancellationFlag, control receiveControl: Processes.Receiver?,
        receive: Processes.Receiver
    ) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferSize, alignment: 64)
        defer { buffer.deallocate() }
        let ignore: Processes.Receiver = { _ in }
        var isOpen = (output: true, errors: true, control: control != nil)
        while isOpen.output || isOpen.errors || isOpen.control {
            if cancellation.isSet.load(ordering: .relaxed) { throw CancellationError() }
            guard ContinuousClock.now < deadline else {
                throw DevhostError(.timedOut, "\(name) did not end in the time it was given")
            }
            var polled = [
                pollfd(fd: isOpen.control ? control?.reader ?? -1 : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isOpen.output ? output.reader : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isOpen.errors ? errors.reader : -1, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&polled, 3, 100)
            if polled[0].revents != 0, let control {
                isOpen.control = try take(control.reader, buffer, receiveControl ?? ignore)
            } else if polled[1].revents != 0 {
                isOpen.output = try take(output.reader, buffer, receive)
            }
            if polled[2].revents != 0 {
                let wasOpen = try take(errors.reader, buffer) { part in errorOutput += part }
                isOpen.errors = wasOpen
                if errorOutput.count > Self.errorLimit { errorOutput.removeFirst(errorOutput.count - Self.errorLimit) }
            }
        }
    }

    /// Hands on what a pipe holds; false at its end.
    private func take(
        _ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, _ receive: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        let count = read(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { try receive(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
        return count > 0 || (count < 0 && errno == EINTR)
    }
}
