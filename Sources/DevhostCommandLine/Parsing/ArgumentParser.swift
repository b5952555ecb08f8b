import DevhostBase

/// Takes the words of a command line apart, the GNU way: options may stand before and after operands, `--` ends them.
struct ArgumentParser {
    private let options: [Option]
    private let usage: CommandUsage
    private(set) var arguments: Arguments

    init(program: Program, usage: CommandUsage) {
        options = usage.options + program.sharedOptions
        self.usage = usage
        arguments = Arguments(usage: usage)
    }

    /// Keeps what was given before the command's name.
    mutating func take(over earlier: ArgumentParser) {
        arguments.flags = earlier.arguments.flags
        arguments.toggles = earlier.arguments.toggles
        arguments.texts = earlier.arguments.texts
    }

    /// Parses up to the first word that is not an option.
    /// - Returns: That word and all after it.
    mutating func parseOptionsBeforeCommand(_ words: ArraySlice<String>) throws(DevhostError) -> ArraySlice<String> {
        var rest = words
        while let word = rest.first, word.hasPrefix("-"), word != "-" {
            rest = rest.dropFirst()
            if word == "--" { return rest }
            try parseOption(word, &rest)
        }
        return rest
    }

    /// Parses everything after the command's name.
    mutating func parse(_ words: ArraySlice<String>) throws(DevhostError) {
        var rest = words
        while let word = rest.popFirst() {
            let operandsAreComplete = arguments.words.count >= usage.operands.count
            if word == "--" {
                if usage.passedThrough != nil && operandsAreComplete {
                    arguments.passedThrough = Array(rest)
                } else {
                    try takeOperands(rest)
                }
                return
            }
            if word.hasPrefix("-"), word != "-" {
                try parseOption(word, &rest)
            } else if usage.passedThrough != nil && operandsAreComplete {
                arguments.passedThrough = [word] + rest
                return
            } else {
                arguments.words.append(word)
            }
        }
    }

    /// After `--` every word is an operand; those beyond the operands of a command that passes words through are
    /// passed through, without a second `--`.
    private mutating func takeOperands(_ words: ArraySlice<String>) throws(DevhostError) {
        guard usage.passedThrough != nil else {
            arguments.words += words
            return
        }
        let needed = usage.operands.count - arguments.words.count
        arguments.words += words.prefix(needed)
        let rest = words.dropFirst(needed)
        arguments.passedThrough = Array(rest.first == "--" ? rest.dropFirst() : rest)
    }

    /// Checks what only the whole command line shows.
    func finish() throws(DevhostError) {
        let operands = usage.operands
        if let missing = operands.dropFirst(arguments.words.count).first(where: { !$0.isOptional }) {
            throw Arguments.missing(missing)
        }
        if arguments.words.count > operands.count, operands.last?.isRepeatable != true {
            let word = arguments.words[operands.count]
            throw DevhostError(.invalidArgument, "\(word.quoted) is one word too many for '\(usage.name)'")
        }
        for option in usage.options where option.isRequired && arguments.texts[option.long] == nil {
            throw DevhostError(.invalidArgument, "--\(option.long) is missing")
        }
    }

    private mutating func parseOption(_ word: String, _ rest: inout ArraySlice<String>) throws(DevhostError) {
        if word.hasPrefix("--") { try parseLong(word, &rest) } else { try parseShort(word, &rest) }
    }

    private mutating func parseLong(_ word: String, _ rest: inout ArraySlice<String>) throws(DevhostError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let spelling = String(parts[0])
        let attached = parts.count == 2 ? String(parts[1]) : nil
        guard let option = options.first(where: { $0.spellings.contains(spelling) }) else {
            throw unknown(spelling)
        }
        if option.valueName != nil {
            let value = if let attached { attached } else { try nextValue(for: spelling, &rest) }
            try add(value, to: option)
        } else if attached != nil {
            throw DevhostError(.invalidArgument, "\(spelling) takes no value")
        } else if option.form == .toggle {
            arguments.toggles[option.long] = spelling == "--\(option.long)"
        } else {
            arguments.flags.insert(option.long)
        }
    }

    /// One dash and one or more letters; the first letter of an option that takes a value ends the cluster, and what
    /// follows it is the value.
    private mutating func parseShort(_ word: String, _ rest: inout ArraySlice<String>) throws(DevhostError) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            guard let option = options.first(where: { $0.short == letter }) else {
                throw unknown(word.count > 2 ? "-\(letter)" : word)
            }
            guard option.valueName != nil else {
                arguments.flags.insert(option.long)
                continue
            }
            try add(letters.isEmpty ? nextValue(for: "-\(letter)", &rest) : String(letters), to: option)
            return
        }
    }

    /// The next word as the value of an option, unless it is an option itself.
    private func nextValue(for name: String, _ rest: inout ArraySlice<String>) throws(DevhostError) -> String {
        let looksLikeOption = rest.first.map { word in
            word == "--" || options.contains { $0.spellings.contains { word == $0 || word.hasPrefix($0 + "=") } }
        }
        guard looksLikeOption == false, let value = rest.popFirst() else {
            throw DevhostError(.invalidArgument, "\(name) needs a value")
        }
        return value
    }

    private mutating func add(_ value: String, to option: Option) throws(DevhostError) {
        if !option.isRepeatable, arguments.texts[option.long] != nil {
            throw DevhostError(.invalidArgument, "--\(option.long) was given twice", next: "give it once")
        }
        arguments.texts[option.long, default: []].append(value)
    }

    private func unknown(_ spelling: String) -> DevhostError {
        let known = options.filter { !$0.isHidden }.flatMap(\.spellings)
        let near = spelling.hasPrefix("--") ? Suggestion.nearest(to: spelling, among: known) : nil
        return DevhostError(
            .invalidArgument, "\(spelling.quoted) is not an option of '\(usage.name)'",
            next: near.map { "did you mean \($0)?" })
    }
}
