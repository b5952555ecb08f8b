/// One row of the table of commands. Parsing, help, completion and documents all come from it.
package struct CommandUsage: Sendable {
    /// An example for the help.
    package struct Example: Sendable, Hashable {
        /// The command line, without the program's name.
        package let line: String
        /// What it does.
        package let meaning: String

        /// An example.
        package init(_ line: String, _ meaning: String) {
            self.line = line
            self.meaning = meaning
        }
    }

    /// The name; two words for a command of a group, for instance `release show`.
    package let name: String
    /// Other names for the same command.
    package let otherNames: [String]
    /// What it does, in one line without a full stop.
    package let summary: String
    /// The rest of what there is to say; paragraphs are separated by an empty line.
    package let discussion: String
    /// Its options, beside those that every command has.
    package let options: [Option]
    /// Its operands, in their order.
    package let operands: [Operand]
    /// What the words are called that this command hands on to another as they are; nil where it takes none. They start
    /// after `--`, or with the first word behind the operands that is no option.
    package let passedThrough: String?
    /// Whether its exit status is that of what it runs in a VM: failures of its own are 255 then, as with ssh.
    package let passesStatus: Bool
    /// Whether help, documents and completion leave it out.
    package let isHidden: Bool
    /// Examples.
    package let examples: [Example]

    /// A row.
    package init(
        _ name: String, otherNames: [String] = [], summary: String, discussion: String = "", options: [Option] = [],
        operands: [Operand] = [], passedThrough: String? = nil, passesStatus: Bool = false, isHidden: Bool = false,
        examples: [Example] = []
    ) {
        self.name = name
        self.otherNames = otherNames
        self.summary = summary
        self.discussion = discussion
        self.options = options
        self.operands = operands
        self.passedThrough = passedThrough
        self.passesStatus = passesStatus
        self.isHidden = isHidden
        self.examples = examples
    }

    /// All names, the first one first.
    package var names: [String] { [name] + otherNames }
    /// The options that help shows.
    package var visibleOptions: [Option] { options.filter { !$0.isHidden } }
    /// The discussion as paragraphs.
    package var paragraphs: [String] { discussion.paragraphs }

    /// The usage line without the program's name.
    package var synopsis: String {
        var words = [name]
        if visibleOptions.contains(where: { !$0.isRequired }) { words.append("[OPTION]...") }
        for option in visibleOptions where option.isRequired {
            words.append("--\(option.long)" + (option.valueName.map { " \($0)" } ?? ""))
        }
        words += operands.map(\.synopsis)
        if let passedThrough { words.append("[[--] \(passedThrough)...]") }
        return words.joined(separator: " ")
    }
}

extension String {
    /// The text at its empty lines, each part with its newlines as blanks.
    var paragraphs: [String] {
        var paragraphs: [[Substring]] = [[]]
        for line in split(separator: "\n", omittingEmptySubsequences: false) {
            if line.allSatisfy(\.isWhitespace) {
                paragraphs.append([])
            } else {
                paragraphs[paragraphs.count - 1].append(line)
            }
        }
        return paragraphs.filter { !$0.isEmpty }.map { $0.joined(separator: " ") }
    }
}
