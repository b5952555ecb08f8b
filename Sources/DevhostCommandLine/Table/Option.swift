/// One option of a command, as the table of commands states it.
package struct Option: Sendable, Hashable {
    /// How an option is written.
    package enum Form: Sendable, Hashable {
        /// `--name`: there or not. Twice is as good as once.
        case flag
        /// `--name` or `--no-name`; of several the last one holds.
        case toggle
        /// `--name VALUE` or `--name=VALUE`, with what the value is called in the help.
        case value(String)
    }

    /// The name without its dashes.
    package let long: String
    /// The one-letter name without its dash.
    package let short: Character?
    /// How it is written.
    package let form: Form
    /// What the value can be completed to.
    package let completion: WordKind
    /// Whether the command cannot do without it.
    package let isRequired: Bool
    /// Whether it may be given several times, each adding a value.
    package let isRepeatable: Bool
    /// Whether help, documents and completion leave it out.
    package let isHidden: Bool
    /// What it does, one or two sentences.
    package let help: String

    private init(
        _ long: String, _ short: Character?, _ form: Form, _ completion: WordKind, isRequired: Bool,
        isRepeatable: Bool, isHidden: Bool, _ help: String
    ) {
        self.long = long
        self.short = short
        self.form = form
        self.completion = completion
        self.isRequired = isRequired
        self.isRepeatable = isRepeatable
        self.isHidden = isHidden
        self.help = help
    }

    /// An option that is there or not.
    package static func flag(
        _ long: String, short: Character? = nil, isHidden: Bool = false, _ help: String
    ) -> Option {
        Option(long, short, .flag, .text, isRequired: false, isRepeatable: false, isHidden: isHidden, help)
    }

    /// A pair of options, `--long` and `--no-long`.
    package static func toggle(_ long: String, isHidden: Bool = false, _ help: String) -> Option {
        Option(long, nil, .toggle, .text, isRequired: false, isRepeatable: false, isHidden: isHidden, help)
    }

    /// An option that takes a value.
    package static func value(
        _ long: String, _ valueName: String, short: Character? = nil, completion: WordKind = .text,
        isRequired: Bool = false, isRepeatable: Bool = false, isHidden: Bool = false, _ help: String
    ) -> Option {
        Option(
            long, short, .value(valueName), completion, isRequired: isRequired, isRepeatable: isRepeatable,
            isHidden: isHidden, help)
    }

    /// The value's name; nil for an option without one.
    package var valueName: String? {
        if case .value(let name) = form { name } else { nil }
    }

    /// Every long spelling with its dashes.
    package var spellings: [String] { form == .toggle ? ["--\(long)", "--no-\(long)"] : ["--\(long)"] }

    /// The option as the help lists it, for instance `-u, --user NAME`.
    package var synopsis: String {
        let names = (short.map { ["-\($0)"] } ?? []) + spellings
        return names.joined(separator: ", ") + (valueName.map { " \($0)" } ?? "")
    }
}
