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
            var part = TextParts()
            let content = Files.exists(path) ? try Files.read(path) : []
            let text = part.take(content)
            return ConsoleLog(
                text: text.printableLines, end: UInt64(content.count - part.rest.count), isOfFailure: false)
        }
        let failure = layout.failure(name)
        guard Files.exists("\(failure)/reason") else {
            throw DevhostError(.notFound, "there is no VM \(name)", next: "see 'fc-devhost list'")
        }
        let reason = try Files.readText("\(failure)/reason")
        let log = Files.exists("\(failure)/log") ? try Files.readText("\(failure)/log") : ""
        return ConsoleLog(text: (log + "\n" + reason).printableLines, end: 0, isOfFailure: true)
    }

    /// Gives what a VM's console writes, part by part, until `receive` returns false or the VM is destroyed. A log that
    /// virtlogd rotates is read to its end before the new one.
    /// - Parameter end: How many bytes of the log are known already.
    /// - Returns: Whether the VM is still there.
    /// - Throws: `notFound`.
    @discardableResult
    public func followConsole(_ name: VMName, from end: UInt64, receive: (String) -> Bool) async throws -> Bool {
        _ = try records.require(name)
        let path = layout.consoleLog(name)
        var file: FileDescriptor?
        var offset = end
        var parts = TextParts()
        while true {
            // Looked at before the log is read: what a VM wrote until it was destroyed is in the log by then.
            let isThere = Files.exists(layout.record(name))
            if file == nil, Files.exists(path) { file = try FileDescriptor.open(path, O_RDONLY) }
            if let open = file {
                let isRotated = !open.isNamed(path)
                // One that shrank starts anew.
                if try open.size(path: path) < offset { offset = 0 }
                let bytes = try open.read(at: offset, count: 64 << 10, path: path)
                offset += UInt64(bytes.count)
                if !bytes.isEmpty {
                    if !receive(parts.take(bytes).printableLines) { return true }
                    continue
                }
                if isRotated {
                    file = nil
                    offset = 0
                    if Files.exists(path) { continue }
                }
            }
            guard isThere else { return false }
            if !receive("") { return true }
            try await clock.sleep(for: .milliseconds(200))
        }
    }
}
