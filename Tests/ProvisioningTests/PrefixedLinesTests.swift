import Testing

@testable import DevhostProvision

@Suite("Output of several VMs")
struct PrefixedLinesTests {
    @Test("Every line says whose it is, however it arrives")
    func lines() {
        let lines = PrefixedLines("web: ")
        func add(_ text: String, to stream: Int32 = 1) -> String {
            String(decoding: lines.add(Array(text.utf8), to: stream), as: UTF8.self)
        }
        #expect(add("one\ntw") == "web: one\n")
        #expect(add("error", to: 2) == "")
        #expect(add("o\n\nthr") == "web: two\nweb: \n")
        let rest = lines.finish().map { "\($0.stream) \(String(decoding: $0.line, as: UTF8.self))" }
        #expect(rest == ["1 web: thr\n", "2 web: error\n"])
        #expect(lines.finish().isEmpty)
        #expect(add(String(repeating: "x", count: 70_000)).utf8.count == 70_006)
    }
}
