/// A provision script: a shell script in which COPY, RUN and ECHO act upon a VM. bash evaluates it; this value is what
/// can be known about it without running it.
///
/// The scanner knows as much of bash's grammar as is needed to find the verbs wherever a command can stand: in
/// conditions, loops, functions, pipelines, substitutions and here-documents. It never fails: what bash itself would
/// refuse is reported by ``check(folder:knownVariables:)``.
public struct ProvisionScript: Sendable {
    /// What a statement does.
    public enum Verb: String, Sendable, Codable, CaseIterable {
        /// Sends files to the VM.
        case copy = "COPY"
        /// Runs a command in the VM.
        case run = "RUN"
        /// Writes words into a file of the VM.
        case echo = "ECHO"
    }

    /// A place in the script.
    public struct Position: Sendable, Hashable, Comparable, Codable {
        /// The line, counted from 1.
        public let line: Int
        /// The column in Unicode scalars, counted from 1.
        public let column: Int

        /// Orders by line, then by column.
        public static func < (left: Position, right: Position) -> Bool {
            (left.line, left.column) < (right.line, right.column)
        }
    }

    /// One word of a statement.
    public struct Argument: Sendable, Hashable {
        /// The word as it is written, with its quotes and expansions.
        public let text: String
        /// What bash makes of it where that is known: up to the first expansion or pattern, without quotes.
        public let literalPrefix: String
        /// Whether the word has neither expansions nor patterns, so that ``literalPrefix`` is its value.
        public let isLiteral: Bool
        /// Whether bash can make several words of it, or none.
        public let canSplit: Bool
        /// Where it begins.
        public let position: Position

        /// The word's value; nil where only running the script would tell.
        public var literal: String? { isLiteral ? literalPrefix : nil }
    }

    /// A redirection that stands with a statement; bash carries it out on this machine.
    public struct Redirection: Sendable, Hashable {
        /// The operator, for instance `>>`.
        public let symbol: String
        /// Where to or from; for a here-document, its delimiter.
        public let target: Argument
        /// Where it begins.
        public let position: Position
    }

    /// One use of a verb.
    public struct Statement: Sendable, Hashable {
        /// What it does.
        public let verb: Verb
        /// The words after the verb.
        public let arguments: [Argument]
        /// The redirections of the statement.
        public let redirections: [Redirection]
        /// Where the verb stands.
        public let position: Position
    }

    /// One use of a variable.
    public struct VariableUse: Sendable, Hashable {
        /// The variable's name.
        public let name: String
        /// Whether the expansion says what happens when the variable is unset (`${NAME:-…}`).
        public let isGuarded: Bool
        /// Where the expansion begins.
        public let position: Position
    }

    /// The file's name, for messages.
    public let source: String
    /// The script as it is.
    public let text: String
    /// The verbs in the order in which they stand.
    public let statements: [Statement]
    /// The uses of variables in the order in which they stand.
    public let variables: [VariableUse]
    /// The variables that the script itself sets.
    public let assigned: Set<String>
    /// The names of the ordinary commands that the script calls.
    public let commands: Set<String>

    /// The functions that the script defines.
    package let functions: Set<String>
    /// Characters outside of quotes and here-documents that look like a blank or like nothing, in their order.
    package let invisible: [(name: String, position: Position)]

    /// Whether the script itself sends its environment's provision.nix to the VM.
    package var copiesNix: Bool {
        statements.contains { statement in
            let paths = statement.arguments.filter { !$0.text.hasPrefix("--") }
            return statement.verb == .copy
                && (paths.dropLast().contains { $0.text.contains("provision.nix") }
                    || paths.last?.literal == ProvisionSession.nixPath)
        }
    }

    /// Reads a script.
    /// - Parameters:
    ///   - text: The content of the file.
    ///   - source: The file's name, for messages.
    public init(_ text: String, source: String) {
        let scanner = DeepStack.run {
            var scanner = ShellScanner(text)
            scanner.scanScript()
            return scanner
        }
        self.source = source
        self.text = text
        statements = scanner.statements.sorted { $0.position < $1.position }
        variables = scanner.variables.sorted { $0.position < $1.position }
        assigned = scanner.assigned
        commands = scanner.commands
        functions = scanner.functions
        let places = scanner.invisible
        invisible = places.keys.sorted().compactMap { index in
            places[index].map { ($0, scanner.position(of: index)) }
        }
    }
}
