/// The rule that names of channels and releases share: safe as a path component, in a URL and on a terminal.
enum CatalogName {
    static let rule = "1 to 128 of letters, digits, '.', '_', '+' and '-', starting with a letter or a digit"

    static func isValid(_ text: String) -> Bool {
        guard (1...128).contains(text.utf8.count), let first = text.utf8.first else { return false }
        return isLetterOrDigit(first) && text.utf8.allSatisfy { isLetterOrDigit($0) || "._+-".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// Orders names as people count: `2024_9` before `2024_10`.
    static func isOrdered(_ left: String, _ right: String) -> Bool {
        let (lefts, rights) = (runs(left), runs(right))
        for (one, other) in zip(lefts, rights) where one != other {
            let isNumber = (one.first?.isNumber ?? false) && (other.first?.isNumber ?? false)
            guard isNumber else { return one < other }
            let (number, otherNumber) = (one.drop { $0 == "0" }, other.drop { $0 == "0" })
            if number == otherNumber { return one.count < other.count }
            return number.count == otherNumber.count ? number < otherNumber : number.count < otherNumber.count
        }
        return lefts.count < rights.count
    }

    /// The text cut where digits begin and end.
    private static func runs(_ text: String) -> [Substring] {
        var runs: [Substring] = []
        var rest = text[...]
        while let first = rest.first {
            let run = rest.prefix { $0.isNumber == first.isNumber }
            runs.append(run)
            rest = rest.dropFirst(run.count)
        }
        return runs
    }
}
