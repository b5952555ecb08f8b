import Glibc

/// What a VM's console has written.
public struct ConsoleLog: Sendable {
    /// The text, safe for a terminal.
    public let text: String
    /// The size of the log in bytes when it was read: where ``Devhost/followConsole(_:from:receive:)`` goes on.
    public let end: UInt64
    /// Whether it is that of a failed creation, with the reason at its end.
    public let isOfFailure: Bool
}

extension Devhost {
    /// The console of a VM: of one that exists, or the one that the last failed creation left.
    /// - Throws: `notFound` where there is neither.
    public func consoleLog(_ name: VMName) throws -> ConsoleLog {
        if try records.find(name) != nil {
            let path = layout.consoleLog(name)
            let content = Files.exists(path) ? try Files.read(path) : []
            return ConsoleLog(
                text: String(decoding: content, as: UTF8.self).printableLines, end: UInt64(content.count),
                isOfFailure: false)
        }
        let failure = layout.failure(name)
        guard Files.exists("\(failure)/reason") else {
            throw DevhostError(.notFound, "there is no VM \(name)", next: "see 'fc-devhost list'")
        }
        let reason = try Files.readText("\(failure)/reason")
        let log = Files.exists("\(failure)/log") ? try Files.readText("\(failure)/log") : ""
        return ConsoleLog(text: (log + "\n" + reason).printableLines, end: 0, isOfFailure: true)
    }

    /// Gives what a VM's console writes, part by part, until `receive` returns false.
    /// - Parameter end: How many bytes of the log are known already.
    /// - Throws: `notFound`.
    public func followConsole(_ name: VMName, from end: UInt64, receive: (String) -> Bool) async throws {
        _ = try records.require(name)
        let path = layout.consoleLog(name)
        var offset = end
        while true {
            let size = (try? Files.size(path)) ?? 0
            // A log that shrank was rotated by virtlogd and starts anew.
            if size < offset { offset = 0 }
            if size > offset {
                let file = try FileDescriptor.open(path, O_RDONLY)
                lseek(file.number, off_t(offset), SEEK_SET)
                let part = try file.read(upTo: 64 << 10, path: path)
                offset += UInt64(part.count)
                if !receive(String(decoding: part, as: UTF8.self).printableLines) { return }
            } else {
                if !receive("") { return }
                try await clock.sleep(for: .milliseconds(200))
            }
        }
    }
}
