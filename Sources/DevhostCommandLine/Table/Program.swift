import DevhostBase

/// A program: the table of its commands and what all of them share.
package struct Program: Sendable {
    /// A file that the program's documents name.
    package struct NamedFile: Sendable {
        /// Where it lies.
        package let path: String
        /// What it is.
        package let meaning: String

        /// A file.
        package init(_ path: String, _ meaning: String) {
            self.path = path
            self.meaning = meaning
        }
    }

    /// The name of the executable.
    package let name: String
    /// What it is, in one line without a full stop.
    package let summary: String
    /// The rest of what there is to say; paragraphs are separated by an empty line.
    package let discussion: String
    /// The options that every command takes, beside `--help` and `--quiet`.
    package let ownOptions: [Option]
    /// The commands, in the order in which the help lists them.
    package let commands: [any ProgramCommand.Type]
    /// The files that its documents name.
    package let files: [NamedFile]
    /// The command line that prints the names of all VMs, for completion; nil where there is none.
    package let vmNamesCommand: String?
    /// Refuses what the caller may not ask for.
    package let check: @Sendable (Arguments, Caller) throws(DevhostError) -> Void
    /// What a caller can do about an error that says nothing about it.
    package let advice: @Sendable (DevhostError, Caller) -> String?

    /// `--help`, which every command has.
    package static let help = Option.flag("help", short: "h", "Show the help of the program or of a command.")
    /// `--quiet`, which every command has.
    package static let quiet = Option.flag("quiet", short: "q", "Say nothing but results, warnings and errors.")
    /// `--version`, which the program has.
    package static let version = Option.flag("version", "Show the version.")

    /// A program; `help` and `completion` are added to its commands.
    package init(
        _ name: String, summary: String, discussion: String = "", options: [Option] = [],
        commands: [any ProgramCommand.Type], files: [NamedFile] = [], vmNamesCommand: String? = nil,
        check: @escaping @Sendable (Arguments, Caller) throws(DevhostError) -> Void = { _, _ in },
        advice: @escaping @Sendable (DevhostError, Caller) -> String? = { _, _ in nil }
    ) {
        self.name = name
        self.summary = summary
        self.discussion = discussion
        ownOptions = options
        self.commands = commands + [CompletionCommand.self, HelpCommand.self]
        self.files = files
        self.vmNamesCommand = vmNamesCommand
        self.check = check
        self.advice = advice
    }

    /// The options that every command takes.
    package var sharedOptions: [Option] { ownOptions + [Self.quiet, Self.help] }
    /// Those of them that help and documents show.
    package var visibleSharedOptions: [Option] { sharedOptions.filter { !$0.isHidden } }
    /// The rows of the table.
    package var usages: [CommandUsage] { commands.map { $0.usage } }
    /// The rows that help, documents and completion show.
    package var visibleUsages: [CommandUsage] { usages.filter { !$0.isHidden } }

    /// The command that bears this name, of one word or two.
    package func command(named name: String) -> (any ProgramCommand.Type)? {
        commands.first { $0.usage.names.contains(name) }
    }

    /// The second words of the commands in a group, sorted; empty where there is no such group.
    package func group(_ word: String) -> [String] {
        usages.flatMap(\.names).filter { $0.hasPrefix(word + " ") }.map { String($0.dropFirst(word.count + 1)) }
            .sorted()
    }
}
