import DevhostBase

/// `help [COMMAND]`: what `--help` prints, and the documents that come from the same table.
struct HelpCommand: ProgramCommand {
    static let format = Option.value(
        "format", "FORMAT", completion: .choice(["text", "markdown", "man"]),
        "text (the default), or the whole reference as a markdown or man page.")
    static let command = Operand("COMMAND", isOptional: true, isRepeatable: true)

    static let usage = CommandUsage(
        "help", summary: "show the help of the program or of a command", options: [format], operands: [command],
        examples: [CommandUsage.Example("help --format man", "Write the manual page.")])

    enum Format: String, CaseIterable {
        case text, markdown, man
    }

    let format: Format
    let words: [String]

    init(_ arguments: Arguments) throws(DevhostError) {
        format =
            try arguments.value(Self.format) { text throws(DevhostError) in
                guard let format = Format(rawValue: text) else {
                    throw DevhostError(
                        .invalidArgument, "\(text.quoted) is not a format", next: "use text, markdown or man")
                }
                return format
            } ?? .text
        words = arguments.texts(Self.command)
        if format != .text, !words.isEmpty {
            throw DevhostError(.invalidArgument, "the reference holds all commands, not one", next: "name no command")
        }
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let program = context.program
        let name = words.joined(separator: " ")
        switch format {
        case .text where words.isEmpty: try context.output.write(HelpText(program).text())
        case .text:
            guard let command = program.command(named: name) else {
                throw DevhostError(
                    .invalidArgument, "\(name.quoted) is not a command", next: "see '\(program.name) --help'")
            }
            try context.output.write(HelpText(program).text(for: command.usage))
        case .markdown: try context.output.write(MarkdownReference(program).text())
        case .man: try context.output.write(ManPage(program).text())
        }
        return .success
    }
}
