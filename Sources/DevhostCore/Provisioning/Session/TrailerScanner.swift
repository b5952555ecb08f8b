#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Tells a command's output from what the agent says about it in the same stream.
///
/// The agent writes the request's mark (random, new for each request), a letter, and the rest of a line. Everything
/// else is output and is passed on at once; only bytes that may be the beginning of the mark are held back, and what
/// follows the mark up to ``messageLimit``. Each byte is looked at once, or as often as the mark is long.
struct TrailerScanner {
    /// What the agent says.
    enum Message: Equatable {
        /// The command runs under this number, which is also its process group's.
        case started(Int32)
        /// The command has ended, and whether something that it started still runs or holds its files.
        case ended(status: Int32, isHeld: Bool)
    }

    /// The bytes of the longest line that an agent writes behind its mark, and some more.
    private static let messageLimit = 64

    private let mark: [UInt8]
    private var pending: [UInt8] = []
    private(set) var processGroup: Int32?
    private(set) var end: (status: Int32, isHeld: Bool)?
    /// Whether what stood behind a mark is nothing that an agent says: nothing can be told from output any more.
    private(set) var isBroken = false

    init(mark: [UInt8]) { self.mark = mark }

    /// Takes the next bytes of the stream.
    /// - Returns: The output among them.
    mutating func add(_ bytes: [UInt8]) -> [UInt8] {
        if isBroken { return [] }
        pending += bytes
        var output: [UInt8] = []
        var start = 0
        while end == nil, let found = indexOfMark(from: start) {
            output += pending[start..<found]
            start = found
            let message = pending.dropFirst(found + mark.count).prefix(Self.messageLimit)
            guard let newline = message.firstIndex(of: Ascii.newline) else {
                if message.count == Self.messageLimit { isBroken = true }
                pending.removeFirst(start)
                return output
            }
            take(pending[(found + mark.count)..<newline])
            start = newline + 1
        }
        if end == nil {
            output += pending[start...]
            start = pending.count
        }
        pending.removeFirst(start)
        return output
    }

    /// Where the mark, or at the end of the bytes a part of it, begins.
    private func indexOfMark(from start: Int) -> Int? {
        var index = start
        while index < pending.count {
            let found = pending.withUnsafeBytes { buffer -> Int? in
                guard let base = buffer.baseAddress,
                    let byte = memchr(base + index, Int32(mark[0]), buffer.count - index)
                else { return nil }
                return base.distance(to: UnsafeRawPointer(byte))
            }
            guard let found else { return nil }
            let length = min(mark.count, pending.count - found)
            if pending[found..<(found + length)].elementsEqual(mark[..<length]) { return found }
            index = found + 1
        }
        return nil
    }

    private mutating func take(_ message: ArraySlice<UInt8>) {
        let words = String(decoding: message, as: UTF8.self).split(separator: " ").map(String.init)
        switch words.first {
        case "started": processGroup = words.dropFirst().first.flatMap { Int32($0) }
        case "ended":
            let status = words.dropFirst().first.flatMap { Int32($0) } ?? 255
            end = (status, words.last == "held")
        default: break
        }
    }
}
