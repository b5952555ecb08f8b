import DevhostBase
import DevhostCore
import Glibc

/// Makes real images with the tools that users have.
struct TestImages: Sendable {
    let folder: String

    /// A qcow2 image of a few MiB with some data in it.
    @discardableResult
    func qcow2(
        _ name: String, size: String = "8M", options: [String] = [], filledWith byte: UInt8 = 0x42
    ) async throws -> String {
        let path = "\(folder)/\(name)"
        var arguments = ["create", "-q", "-f", "qcow2"]
        if !options.isEmpty { arguments += ["-o", options.joined(separator: ",")] }
        try await run("qemu-img", arguments + [path, size])
        try await run("qemu-io", ["-f", "qcow2", "-c", "write -q -P \(byte) 1M 1M", path])
        return path
    }

    func run(_ program: String, _ arguments: [String]) async throws {
        try await Processes.require(Command(program, arguments), limit: .seconds(300))
    }

    func file(_ name: String, _ content: [UInt8]) throws -> String {
        let path = "\(folder)/\(name)"
        unlink(path)
        try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644).write(content, path: path)
        return path
    }

    /// Changes bytes of a file in place.
    func patch(_ path: String, at offset: Int, _ bytes: [UInt8]) throws {
        let file = try FileDescriptor.open(path, O_WRONLY)
        let count = bytes.withUnsafeBytes { pwrite(file.number, $0.baseAddress, $0.count, off_t(offset)) }
        guard count == bytes.count else { throw DevhostError.posix("cannot write \(path)") }
    }

    func patch<Number: FixedWidthInteger>(_ path: String, at offset: Int, number: Number) throws {
        try patch(path, at: offset, withUnsafeBytes(of: number.bigEndian) { Array($0) })
    }
}
