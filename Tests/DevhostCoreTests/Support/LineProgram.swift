import DevhostCore
import Glibc

@testable import DevhostBase

/// A program that a test talks to line by line. It ends with its standard input.
final class LineProgram {
    private let process: ChildProcess
    private let input = try? Pipe()
    private let output = try? Pipe()
    private var pending: [UInt8] = []

    init(_ program: String, _ arguments: [String]) throws {
        guard let input, let output else { throw DevhostError(.failed, "no pipes") }
        process = try ChildProcess(
            Command(program, arguments), input: input.reader, output: output.writer, errors: STDERR_FILENO)
        input.closeReader()
        output.closeWriter()
    }

    /// The next line that it says; nil at its end.
    func line() -> String? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                defer { pending.removeSubrange(...end) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(output?.reader ?? -1, &buffer, buffer.count)
            if count <= 0 { return nil }
            pending += buffer[..<count]
        }
    }

    /// Says a line and returns the answer.
    func ask(_ text: String) -> String? {
        let bytes = Array((text + "\n").utf8)
        guard write(input?.writer ?? -1, bytes, bytes.count) == bytes.count else { return nil }
        return line()
    }

    func end() async {
        input?.closeWriter()
        process.signal(SIGKILL)
        _ = await process.wait()
    }

    deinit { process.signal(SIGKILL) }
}
