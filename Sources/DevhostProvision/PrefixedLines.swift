import DevhostBase
import Synchronization

/// What one of several VMs says, line by line, each with the VM's name before it.
final class PrefixedLines: Sendable {
    private static let newline = UInt8(ascii: "\n")
    /// A line that is longer is broken.
    private static let limit = 64 << 10

    private let prefix: [UInt8]
    /// The line that has begun in each stream.
    private let begun = Mutex<[Int32: [UInt8]]>([:])

    init(_ prefix: String) { self.prefix = Array(prefix.utf8) }

    /// Takes the next bytes of a stream.
    /// - Returns: The lines that are whole by now.
    func add(_ bytes: [UInt8], to stream: Int32) -> [UInt8] {
        begun.withLock { begun in
            var rest = bytes[...]
            var lines: [UInt8] = []
            while let newline = rest.firstIndex(of: Self.newline) {
                lines += prefix + (begun.removeValue(forKey: stream) ?? []) + rest[...newline]
                rest = rest[(newline + 1)...]
            }
            begun[stream, default: []] += rest
            if let line = begun[stream], line.count > Self.limit {
                lines += prefix + line + [Self.newline]
                begun[stream] = nil
            }
            return lines
        }
    }

    /// Ends the lines that have begun.
    /// - Returns: Them, by stream.
    func finish() -> [(stream: Int32, line: [UInt8])] {
        begun.withLock { begun in
            defer { begun = [:] }
            return begun.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
                .map { ($0.key, prefix + $0.value + [Self.newline]) }
        }
    }
}
