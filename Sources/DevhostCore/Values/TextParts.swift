/// Text that arrives in parts, which may end in the middle of a character.
package struct TextParts: Sendable {
    /// The start of a character whose other bytes have not arrived.
    package private(set) var rest: [UInt8] = []

    package init() {}

    /// What can be read of the bytes so far. Those that are no UTF-8 are replaced.
    package mutating func take(_ bytes: [UInt8]) -> String {
        let all = rest + bytes
        let complete = all.count - Self.incomplete(all)
        rest = Array(all[complete...])
        return String(decoding: all[..<complete], as: UTF8.self)
    }

    /// How many bytes at the end begin a character and do not complete it.
    private static func incomplete(_ bytes: [UInt8]) -> Int {
        for count in 1...3 where count <= bytes.count {
            let byte = bytes[bytes.count - count]
            // Bytes that go on with a character are 10xxxxxx.
            if byte & 0xc0 == 0x80 { continue }
            let needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
            return needed > count && byte < 0xf8 ? count : 0
        }
        return 0
    }
}
