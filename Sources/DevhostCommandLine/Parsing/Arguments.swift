import DevhostBase

/// What was given to a command, by the options and operands of its row in the table.
package struct Arguments: Sendable {
    /// The command's row.
    package let usage: CommandUsage
    var flags: Set<String> = []
    var toggles: [String: Bool] = [:]
    var texts: [String: [String]] = [:]
    var words: [String] = []
    /// The words that are handed on as they are.
    package internal(set) var passedThrough: [String] = []

    init(usage: CommandUsage) { self.usage = usage }

    /// Whether a flag was given.
    package func has(_ option: Option) -> Bool { flags.contains(option.long) }

    /// What a pair of options was set to last; nil where neither was given.
    package func toggle(_ option: Option) -> Bool? { toggles[option.long] }

    /// The text given with an option; nil where it was not given.
    package func text(_ option: Option) -> String? { texts[option.long]?.last }

    /// The parsed value of an option; nil where it was not given.
    /// - Throws: What `parse` throws, with the option's name before it.
    package func value<Value>(
        _ option: Option, parse: (String) throws(DevhostError) -> Value
    ) throws(DevhostError) -> Value? {
        guard let text = text(option) else { return nil }
        return try Self.parse(text, as: "--\(option.long)", parse)
    }

    /// The parsed value of an option; nil where it was not given.
    /// - Throws: `invalidArgument`, with the option's name before it.
    package func value<Value: ArgumentValue>(_ option: Option, as type: Value.Type) throws(DevhostError) -> Value? {
        try value(option) { text throws(DevhostError) in try Value(text) }
    }

    /// The parsed values of an option that can be given several times.
    /// - Throws: `invalidArgument`, with the option's name before it.
    package func values<Value: ArgumentValue>(_ option: Option, as type: Value.Type) throws(DevhostError) -> [Value] {
        var values: [Value] = []
        for text in texts[option.long] ?? [] {
            values.append(try Self.parse(text, as: "--\(option.long)") { text throws(DevhostError) in try Value(text) })
        }
        return values
    }

    /// The words of an operand: none or one, or all that are left for a repeatable one.
    package func texts(_ operand: Operand) -> [String] {
        guard let index = usage.operands.firstIndex(of: operand), index < words.count else { return [] }
        return operand.isRepeatable ? Array(words[index...]) : [words[index]]
    }

    /// The parsed value of a required operand.
    /// - Throws: `invalidArgument`, also where the operand is missing.
    package func value<Value: ArgumentValue>(_ operand: Operand, as type: Value.Type) throws(DevhostError) -> Value {
        guard let text = texts(operand).first else { throw Self.missing(operand) }
        return try Value(text)
    }

    /// The parsed values of a repeatable operand, each once, in the order in which they were given.
    /// - Throws: `invalidArgument` for the first that cannot be parsed.
    package func values<Value: ArgumentValue & Hashable>(
        _ operand: Operand, as type: Value.Type
    ) throws(DevhostError) -> [Value] {
        var values: [Value] = []
        var seen: Set<Value> = []
        for text in texts(operand) {
            let value = try Value(text)
            if seen.insert(value).inserted { values.append(value) }
        }
        return values
    }

    /// The error for options that exclude each other, or nil where at most one was given.
    package func conflict(among options: [Option]) -> DevhostError? {
        let given = options.filter { flags.contains($0.long) || texts[$0.long] != nil || toggles[$0.long] != nil }
        guard given.count > 1 else { return nil }
        let names = given.map { "--\($0.long)" }.joined(separator: " and ")
        return DevhostError(.invalidArgument, "\(names) exclude each other", next: "give one of them")
    }

    static func missing(_ operand: Operand) -> DevhostError {
        DevhostError(.invalidArgument, "\(operand.name) is missing")
    }

    private static func parse<Value>(
        _ text: String, as name: String, _ parse: (String) throws(DevhostError) -> Value
    ) throws(DevhostError) -> Value {
        do {
            return try parse(text)
        } catch {
            throw error.prefixed(name)
        }
    }
}
