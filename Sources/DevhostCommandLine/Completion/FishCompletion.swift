import DevhostBase

/// The completion script for fish.
struct FishCompletion {
    let table: CompletionTable

    init(_ table: CompletionTable) { self.table = table }

    func script() -> String {
        var lines = ["# fish completion for \(table.program.name)", "complete -c \(table.program.name) -f"]
        let atStart = "not __fish_seen_subcommand_from \(table.firstWords.map(\.text).joined(separator: " "))"
        for word in table.firstWords {
            lines.append(complete(atStart, "-a \(word.text) -d \(Self.quoted(word.summary))"))
        }
        for option in table.programOptions { lines += self.lines(option, condition: atStart) }
        for (first, words) in table.groups {
            let condition =
                "__fish_seen_subcommand_from \(first); and not __fish_seen_subcommand_from "
                + words.map(\.text).joined(separator: " ")
            for word in words { lines.append(complete(condition, "-a \(word.text) -d \(Self.quoted(word.summary))")) }
        }
        for usage in table.program.visibleUsages {
            let condition = usage.name.split(separator: " ").count == 2 ? group(usage) : single(usage)
            for option in table.options(of: usage) { lines += self.lines(option, condition: condition) }
            if let kind = usage.operands.first?.completion, let words = words(kind) {
                lines.append(complete(condition, words))
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private func single(_ usage: CommandUsage) -> String {
        "__fish_seen_subcommand_from \(usage.names.joined(separator: " "))"
    }

    private func group(_ usage: CommandUsage) -> String {
        usage.name.split(separator: " ").map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
    }

    private func lines(_ option: Option, condition: String) -> [String] {
        option.spellings.enumerated().map { index, spelling in
            var text = "-l \(spelling.dropFirst(2))"
            if index == 0, let short = option.short { text += " -s \(short)" }
            // -x takes a value too, and keeps files from being offered for it.
            let isPath = option.completion == .file || option.completion == .folder
            if option.valueName != nil { text += isPath ? " -r" : " -x" }
            if let words = words(option.completion) { text += " " + words }
            return complete(condition, text + " -d \(Self.quoted(option.help))")
        }
    }

    private func words(_ kind: WordKind) -> String? {
        switch kind {
        case .text: nil
        case .file: "-F"
        case .folder: "-a '(__fish_complete_directories)'"
        case .choice(let words): "-a \(Self.quoted(words.joined(separator: " ")))"
        case .vmName: table.vmNames.map { "-a \(Self.quoted("(\($0))"))" }
        }
    }

    private func complete(_ condition: String, _ rest: String) -> String {
        "complete -c \(table.program.name) -n \(Self.quoted(condition)) \(rest)"
    }

    /// The text as one word for fish, in which only backslash and quote mean something between single quotes.
    private static func quoted(_ text: String) -> String {
        "'" + text.replacingScalars(["\\": "\\\\", "'": "\\'"]) + "'"
    }
}
