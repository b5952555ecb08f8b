/// The manual page of a program (section 1, the man macros), from the table of commands.
package struct ManPage: Sendable {
    private let program: Program

    /// The page of a program.
    package init(_ program: Program) { self.program = program }

    /// The page as roff.
    package func text() -> String {
        var lines = [
            ".TH \(program.name.uppercased()) 1 \"\" \"devhost \(Version.current)\" \"Devhost\"",
            ".SH NAME", "\(Self.escaped(program.name)) \\- \(Self.escaped(program.summary))",
            ".SH SYNOPSIS", ".B \(Self.escaped(program.name))", "[\\fIOPTION\\fR]... \\fICOMMAND\\fR ...",
        ]
        if !program.discussion.isEmpty { lines += [".SH DESCRIPTION"] + paragraphs(program.discussion.paragraphs) }
        lines += [".SH OPTIONS", "Every command takes these."] + options(program.visibleSharedOptions)
        lines += options([Program.version])
        lines.append(".SH COMMANDS")
        for usage in program.visibleUsages { lines += section(usage) }
        if !program.files.isEmpty {
            lines.append(".SH FILES")
            for file in program.files { lines += [".TP", ".I \(Self.escaped(file.path))", Self.line(file.meaning)] }
        }
        lines += [".SH EXIT STATUS", "The reason of a failure is the last line on standard error."]
        for row in ExitStatus.table { lines += [".TP", ".B \(row.status.number)", Self.line(row.meaning)] }
        return lines.map { $0 + "\n" }.joined()
    }

    private func section(_ usage: CommandUsage) -> [String] {
        var lines = [".SS \(Self.escaped(usage.synopsis))", Self.line(usage.summary.asSentence)]
        for paragraph in usage.paragraphs { lines += [".PP", Self.line(paragraph)] }
        if !usage.otherNames.isEmpty {
            lines += [".PP", "Also called " + Self.escaped(usage.otherNames.joined(separator: ", ")) + "."]
        }
        lines += options(usage.visibleOptions)
        for example in usage.examples {
            lines += [
                ".PP", Self.line(example.meaning), ".PP", ".RS", ".nf",
                Self.line("\(program.name) \(example.line)"), ".fi", ".RE",
            ]
        }
        return lines
    }

    private func options(_ options: [Option]) -> [String] {
        options.flatMap { [".TP", ".B \(Self.escaped($0.synopsis))", Self.line(HelpText.meaning(of: $0))] }
    }

    private func paragraphs(_ paragraphs: [String]) -> [String] {
        Array(paragraphs.map { [Self.line($0)] }.joined(separator: [".PP"]))
    }

    /// A line of text: one that starts like a request is told apart from it.
    private static func line(_ text: String) -> String {
        let text = escaped(text)
        return text.hasPrefix(".") || text.hasPrefix("'") || text.hasPrefix("\\(aq") ? "\\&" + text : text
    }

    /// Text in which nothing is a request, and a dash and a quote are what they are on a command line.
    static func escaped(_ text: String) -> String {
        text.replacingScalars([
            "\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "~": "\\(ti", "^": "\\(ha",
        ])
    }
}
