import DevhostBase
import Testing

/// Text that arrives in parts.
@Suite struct TextPartsTests {
    @Test func charactersThatArriveInPartsAreNotCut() {
        let text = "a\u{fc}\u{20ac}\u{1f600}z"
        let bytes = Array(text.utf8)
        for size in 1...bytes.count {
            var parts = TextParts()
            let pieces = stride(from: 0, to: bytes.count, by: size).map {
                parts.take(Array(bytes[$0..<min($0 + size, bytes.count)]))
            }
            #expect(pieces.joined() == text && parts.rest.isEmpty)
        }
    }

    @Test func bytesThatAreNoTextAreNotHeldBack() {
        var parts = TextParts()
        #expect(parts.take([0x61, 0xff]) == "a\u{fffd}" && parts.take([0x80, 0x80, 0x80, 0x80]).count == 4)
        #expect(parts.rest.isEmpty)
    }
}
