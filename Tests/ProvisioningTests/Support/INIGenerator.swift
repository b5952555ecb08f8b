/// Makes INI files that people and their editors could have written, and odd ones among them; the same ones for the same
/// seed.
struct INIGenerator {
    private var state: UInt64
    /// Whether what ConfigUpdater reads otherwise on purpose or by mistake is left out: keys and headings that are indented,
    /// comments that are indented outside of values, and a comment with an empty line behind it within a value.
    private let isTame: Bool

    init(seed: UInt64, isTame: Bool = false) { (state, self.isTame) = (seed, isTame) }

    /// A number below a limit (SplitMix64).
    mutating func number(_ limit: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
    }

    mutating func isChosen(_ percent: Int) -> Bool { number(100) < percent }
    mutating func one<Element>(of list: [Element]) -> Element { list[number(list.count)] }

    private static let sections = [
        "environment", "hosts", "vfs", "resolver", "host:web", "host:db.example.org", "component:app",
        "component:my-app",
        "provisioner:default", "batou", "app", "Environment", "DEFAULT", " spaced ", "host:é", "a]b", "[", "x;y", "#",
    ]
    private static let keys = [
        "service_user", "password", "Password", "db.password", "data-x", "provisioner", "memory", "key with blanks",
        "é",
        "%(x)s", "-", "a[0]", "\"quoted\"", "http", "K", "k", "a\u{b}b", "a\u{a0}b", "a#b", "a;b", "$HOME",
    ]
    private static let words = [
        "", "x", "s-dev", "True", "some words", "a = b", "a: b", "https://example.org/x?a=b#c", "50%", "%(key)s",
        "${key}",
        "# none", "; none", "x # none", "x ; none", "[brackets]", "[x] y", "'quoted'", "\"", "\\", "é", "🌐", "a\u{c}b",
        "a\u{b}b", "a\u{85}b", "a\u{2028}b", "a\u{a0}b\u{a0}", "\u{1c}x\u{1f}", "\u{3000}x", "x\u{200b}", "\tx\t", "=",
        ":",
        "e\u{301}", "\u{301}", "-----BEGIN KEY-----", "a,b,c", "x\\",
    ]
    private static let blanks = ["", "", "", " ", "\t", "  ", "    ", "\u{a0}", "\u{c}", "\u{1e}", "\u{3000}"]
    private static let comments = ["#", ";", "# note", "; note", "#k = v", ";k = v", "# [section]", "#\u{301}"]

    /// A file.
    /// - Parameter oddness: How many lines of a hundred are what no parser takes, or what stands twice.
    mutating func file(oddness: Int = 2) -> String {
        let end = isChosen(15) ? "\r\n" : isChosen(3) && !isTame ? "\r" : "\n"
        var text = isChosen(oddness) ? "\u{feff}" : ""
        var names = Self.sections
        for _ in 0...number(4) {
            let index = number(names.count)
            text +=
                blank(isTame ? 0 : 10) + "[\(names[index])]" + (isChosen(10) ? one(of: Self.words) : "") + blank(10)
                + end
            if !isChosen(oddness) { names.remove(at: index) }
            var keys = Self.keys
            for _ in 0..<number(8) { text += lines(&keys, end: end, oddness) }
        }
        if isChosen(10), text.hasSuffix(end) { text.removeLast(1) }
        return text
    }

    private mutating func blank(_ percent: Int) -> String { isChosen(percent) ? one(of: Self.blanks) : "" }

    private mutating func lines(_ keys: inout [String], end: String, _ oddness: Int) -> String {
        if isChosen(10) { return one(of: Self.blanks) + end }
        if isChosen(10) { return blank(isTame ? 0 : 30) + one(of: Self.comments) + end }
        if isChosen(oddness) {
            return one(of: ["words", "= x", ": x", "[open = x", "[open", "[]", "[] = x", "k = \0"]) + end
        }
        let index = number(keys.count)
        let indent = blank(isTame ? 0 : 20)
        var text =
            indent + keys[index] + blank(50) + one(of: ["=", "=", ":"]) + blank(60) + one(of: Self.words) + end
        if !isChosen(oddness) { keys.remove(at: index) }
        guard isChosen(30) else { return text }
        for _ in 0...number(4) {
            switch number(10) {
            case 0, 1: text += one(of: Self.blanks) + end
            case 2: text += blank(50) + one(of: Self.comments) + end + (isTame ? "  behind" + end : "")
            default: text += one(of: [" ", "  ", "    ", "\t", "\u{c} ", "\u{3000}  "]) + one(of: Self.words) + end
            }
        }
        return text
    }
}
