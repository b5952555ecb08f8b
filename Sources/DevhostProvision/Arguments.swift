import DevhostBase

/// The words of one command, taken apart: options with their values, and everything else.
struct Arguments {
    private(set) var words: [String] = []
    private var flags: Set<String> = []
    private var values: [String: String] = [:]

    /// Takes words apart.
    /// - Parameters:
    ///   - flags: The options without a value.
    ///   - valued: The options with one, as `--name value` or `--name=value`.
    /// - Throws: `invalidArgument` for an option that is not known, or lacks its value.
    init(_ arguments: [String], flags known: Set<String>, valued: Set<String> = []) throws(DevhostError) {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else {
                words.append(word)
                continue
            }
            if word == "--" {
                words += rest
                return
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if known.contains(word) {
                flags.insert(word)
            } else if valued.contains(parts[0]), let value = parts.count == 2 ? parts[1] : rest.popFirst() {
                values[parts[0]] = value
            } else if valued.contains(parts[0]) {
                throw DevhostError(.invalidArgument, "\(word) needs a value")
            } else {
                throw DevhostError(.invalidArgument, "there is no option \(word.quoted)", next: "see --help")
            }
        }
    }

    func has(_ flag: String) -> Bool { flags.contains(flag) }
    subscript(_ option: String) -> String? { values[option] }
}
