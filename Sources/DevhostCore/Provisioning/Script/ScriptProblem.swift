/// What `check` finds in a provision script.
public struct ScriptProblem: Sendable, Hashable, Codable {
    /// How bad it is.
    public enum Severity: String, Sendable, Codable {
        /// The script cannot do what it says.
        case error
        /// The script may not do what its author means.
        case warning
    }

    /// What kind of problem it is; the names are stable.
    public enum Rule: String, Sendable, Codable, CaseIterable {
        /// bash cannot read the script.
        case syntax
        /// Too few or too many words after a verb.
        case arity
        /// An option that the verb does not know.
        case option
        /// A path in the VM that is not absolute.
        case relativePath = "relative-path"
        /// A file to copy that is not there.
        case missingFile = "missing-file"
        /// A redirection of RUN that bash carries out on this machine.
        case localRedirection = "local-redirection"
        /// A shell operator that reaches the command in the VM as a plain word.
        case quotedOperator = "quoted-operator"
        /// A variable of a known family that nothing sets.
        case unknownVariable = "unknown-variable"
    }

    /// How bad it is.
    public let severity: Severity
    /// What kind of problem it is.
    public let rule: Rule
    /// The file.
    public let source: String
    /// The line, counted from 1.
    public let line: Int
    /// The column in Unicode scalars, counted from 1.
    public let column: Int
    /// What is wrong and what to do about it.
    public let message: String

    /// The problem as compilers show theirs: `provision.sh:3:1: error: …`.
    public var description: String { "\(source):\(line):\(column): \(severity.rawValue): \(message)" }
}
