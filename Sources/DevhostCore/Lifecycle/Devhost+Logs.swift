import Glibc

extension Devhost {
    /// The console of a VM: of one that exists, or the one that the last failed creation left.
    /// - Returns: The text, and whether it is that of a failed creation.
    /// - Throws: `notFound` where there is neither.
    public func consoleLog(_ name: VMName) throws -> (text: String, isOfFailure: Bool) {
        if try records.find(name) != nil {
            guard Files.exists(layout.consoleLog(name)) else { return ("", false) }
            return (try Files.readText(layout.consoleLog(name)).printableLines, false)
        }
        let failure = layout.failure(name)
        guard Files.exists("\(failure)/reason") else {
            throw DevhostError(.notFound, "there is no VM \(name)", next: "see 'fc-devhost list'")
        }
        let reason = try Files.readText("\(failure)/reason")
        let log = Files.exists("\(failure)/log") ? try Files.readText("\(failure)/log") : ""
        return ((log + "\n" + reason).printableLines, true)
    }

    /// Gives what a VM's console writes from now on, part by part, until `receive` returns false.
    /// - Throws: `notFound`.
    public func followConsole(_ name: VMName, receive: (String) -> Bool) async throws {
        _ = try records.require(name)
        let path = layout.consoleLog(name)
        var offset = (try? Files.size(path)) ?? 0
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
