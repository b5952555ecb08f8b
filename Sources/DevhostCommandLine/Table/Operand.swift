/// One operand of a command: a word that is not an option.
package struct Operand: Sendable, Hashable {
    /// What the help calls it, for instance `NAME`.
    package let name: String
    /// What it can be completed to.
    package let completion: WordKind
    /// Whether the command can do without it. Operands after an optional one are optional too.
    package let isOptional: Bool
    /// Whether it takes all words that are left; only the last operand may.
    package let isRepeatable: Bool

    /// An operand.
    package init(
        _ name: String, _ completion: WordKind = .text, isOptional: Bool = false, isRepeatable: Bool = false
    ) {
        self.name = name
        self.completion = completion
        self.isOptional = isOptional
        self.isRepeatable = isRepeatable
    }

    /// The operand as a usage line shows it.
    package var synopsis: String {
        let text = isRepeatable ? "\(name)..." : name
        return isOptional ? "[\(text)]" : text
    }
}
