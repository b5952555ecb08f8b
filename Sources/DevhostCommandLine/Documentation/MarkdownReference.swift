/// The reference of a program as a Markdown page, from the table of commands.
package struct MarkdownReference: Sendable {
    private let program: Program

    /// The page of a program.
    package init(_ program: Program) { self.program = program }

    /// The page.
    package func text() -> String {
        var lines = ["# \(program.name)", "", Self.escaped(program.summary.asSentence)]
        for paragraph in program.discussion.paragraphs { lines += ["", Self.escaped(paragraph)] }
        lines += ["", "| command | what it does |", "| --- | --- |"]
        for usage in program.visibleUsages {
            let names = usage.names.map { "`\($0)`" }.joined(separator: ", ")
            lines.append("| [\(names)](#\(Self.anchor(usage.name))) | \(Self.escaped(usage.summary)) |")
        }
        lines += ["", "## Options of every command", ""]
        lines += options(program.visibleSharedOptions) + options([Program.version])
        for usage in program.visibleUsages { lines += section(usage) }
        if !program.files.isEmpty {
            lines += ["", "## Files", "", "| path | what |", "| --- | --- |"]
            lines += program.files.map { "| `\($0.path)` | \(Self.escaped($0.meaning)) |" }
        }
        lines += ["", "## Exit status", "", "| status | meaning |", "| --- | --- |"]
        lines += ExitStatus.table.map { "| \($0.status.number) | \(Self.escaped($0.meaning)) |" }
        lines += ["", "The reason of a failure is the last line on standard error.", ""]
        return lines.joined(separator: "\n")
    }

    private func section(_ usage: CommandUsage) -> [String] {
        var lines = ["", "## \(usage.name)", "", "    \(program.name) \(usage.synopsis)", ""]
        lines.append(Self.escaped(usage.summary.asSentence))
        for paragraph in usage.paragraphs { lines += ["", Self.escaped(paragraph)] }
        if !usage.otherNames.isEmpty {
            lines += ["", "Also called " + usage.otherNames.map { "`\($0)`" }.joined(separator: ", ") + "."]
        }
        if !usage.visibleOptions.isEmpty { lines += [""] + options(usage.visibleOptions) }
        for example in usage.examples {
            lines += ["", Self.escaped(example.meaning), "", "    \(program.name) \(example.line)"]
        }
        return lines
    }

    private func options(_ options: [Option]) -> [String] {
        options.map { "- `\($0.synopsis)`: \(Self.escaped(HelpText.meaning(of: $0)))" }
    }

    /// The part of a link that leads to a heading.
    private static func anchor(_ heading: String) -> String { heading.replacing(" ", with: "-") }

    /// Text in which nothing is markup.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            if "\\*_<>[]`|".contains(character) { result += "\\" }
            result.append(character)
        }
        return result
    }
}
