/// The help that `--help` prints, from the table of commands.
package struct HelpText: Sendable {
    private let program: Program

    /// Help for a program.
    package init(_ program: Program) { self.program = program }

    /// The help of the program: what it is, its commands, options and exit statuses.
    package func text() -> String {
        var sections = [
            "Usage: \(program.name) [OPTION]... COMMAND ...\n", TextLayout.wrapped(program.summary.asSentence),
        ]
        sections += program.discussion.paragraphs.map { TextLayout.wrapped($0) }
        sections.append(
            "Commands:\n"
                + TextLayout.definitions(
                    program.visibleUsages.map { ($0.names.joined(separator: ", "), $0.summary) }))
        sections.append("Options:\n" + Self.options(program.visibleSharedOptions + [Program.version]))
        if !program.files.isEmpty {
            sections.append("Files:\n" + TextLayout.definitions(program.files.map { ($0.path, $0.meaning) }))
        }
        sections.append(
            "Exit status:\n" + TextLayout.definitions(ExitStatus.table.map { ("\($0.status.number)", $0.meaning) }))
        sections.append("'\(program.name) COMMAND --help' tells more about a command.\n")
        return sections.joined(separator: "\n")
    }

    /// The help of a command.
    package func text(for usage: CommandUsage) -> String {
        var sections = ["Usage: \(program.name) \(usage.synopsis)\n", TextLayout.wrapped(usage.summary.asSentence)]
        sections += usage.paragraphs.map { TextLayout.wrapped($0) }
        if !usage.otherNames.isEmpty {
            sections.append("Also called: \(usage.otherNames.joined(separator: ", "))\n")
        }
        if !usage.visibleOptions.isEmpty { sections.append("Options:\n" + Self.options(usage.options)) }
        sections.append("Options of every command:\n" + Self.options(program.visibleSharedOptions))
        if !usage.examples.isEmpty {
            sections.append(
                "Examples:\n"
                    + usage.examples.map {
                        "  \(program.name) \($0.line)\n" + TextLayout.wrapped($0.meaning, indent: 6)
                    }.joined())
        }
        return sections.joined(separator: "\n")
    }

    private static func options(_ options: [Option]) -> String {
        TextLayout.definitions(
            options.filter { !$0.isHidden }.map { option in
                let letters = option.short == nil ? "    " : ""
                return (letters + option.synopsis, meaning(of: option))
            })
    }

    /// What an option does, with what its form says beside it.
    static func meaning(of option: Option) -> String {
        var text = option.help
        if option.isRepeatable { text += " Can be given several times." }
        if option.isRequired { text += " Required." }
        return text
    }
}

extension String {
    /// A summary as a sentence of its own.
    var asSentence: String { prefix(1).uppercased() + dropFirst() + "." }
}
