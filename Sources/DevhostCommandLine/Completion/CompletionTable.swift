import DevhostBase

/// What the completion scripts need of the table of commands.
struct CompletionTable {
    /// The first word of one or several commands.
    struct Word {
        let text: String
        let summary: String
    }

    let program: Program
    /// The name of the program as part of a function's name.
    let identifier: String

    init(_ program: Program) {
        self.program = program
        identifier = "_" + program.name.map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()
    }

    /// The words that may stand first, hidden commands left out.
    var firstWords: [Word] {
        var seen: Set<String> = []
        return program.visibleUsages.flatMap { usage in usage.names.map { ($0, usage.summary) } }
            .compactMap { name, summary in
                let first = String(name.split(separator: " ")[0])
                guard seen.insert(first).inserted else { return nil }
                return Word(text: first, summary: first == name ? summary : "commands of this group")
            }
    }

    /// The groups of commands with their second words.
    var groups: [(first: String, words: [Word])] {
        firstWords.compactMap { word in
            let members = program.visibleUsages.flatMap { usage in
                usage.names.filter { $0.hasPrefix(word.text + " ") }
                    .map { Word(text: String($0.dropFirst(word.text.count + 1)), summary: usage.summary) }
            }
            return members.isEmpty ? nil : (word.text, members)
        }
    }

    /// The options of a command that may be seen, those of every command included.
    func options(of usage: CommandUsage) -> [Option] {
        (usage.options + program.sharedOptions).filter { !$0.isHidden }
    }

    /// The options that may stand before the command.
    var programOptions: [Option] { (program.sharedOptions + [Program.version]).filter { !$0.isHidden } }

    /// The names of an option that takes a value, as a shell pattern.
    static func pattern(_ option: Option) -> String {
        ((option.short.map { ["-\($0)"] } ?? []) + option.spellings).joined(separator: "|")
    }

    /// The command that prints the names of VMs, without anything that no name can hold: what a broken record is
    /// called must not reach a shell.
    var vmNames: String? { program.vmNamesCommand.map { "\($0) 2>/dev/null | sed -n '/^[a-z0-9-]*$/p'" } }
}
