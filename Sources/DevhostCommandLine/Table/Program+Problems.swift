extension Program {
    /// What is wrong with the table itself: names that stand twice, rows that cannot be parsed. Empty in a table that
    /// holds; a test looks.
    package var problems: [String] {
        var problems = duplicates(usages.flatMap(\.names)).map { "two commands are called \($0)" }
        for usage in usages {
            // A command may give a meaning of its own to what all others only take.
            let options =
                usage.options
                + sharedOptions.filter { shared in
                    !shared.isHidden || !usage.options.contains { $0.long == shared.long }
                }
            let spellings = options.flatMap(\.spellings)
            let letters = options.compactMap { $0.short.map(String.init) }
            problems += duplicates(spellings + letters).map { "\(usage.name) has two options \($0)" }
            if usage.summary.hasSuffix(".") || usage.summary.contains("\n") || usage.summary.isEmpty {
                problems.append("the summary of \(usage.name) is not one line without a full stop")
            }
            for option in options where !option.help.hasSuffix(".") {
                problems.append("the help of --\(option.long) of \(usage.name) does not end with a full stop")
            }
            if usage.operands.dropLast().contains(where: \.isRepeatable) {
                problems.append("an operand of \(usage.name) that is not the last one is repeatable")
            }
            if let optional = usage.operands.firstIndex(where: \.isOptional),
                usage.operands[optional...].contains(where: { !$0.isOptional })
            {
                problems.append("\(usage.name) has a required operand after an optional one")
            }
            if usage.passedThrough != nil, usage.operands.contains(where: { $0.isOptional || $0.isRepeatable }) {
                problems.append("\(usage.name) passes words through after operands without a fixed number")
            }
            if usage.name.split(separator: " ").count > 2 { problems.append("\(usage.name) has more than two words") }
        }
        return problems
    }

    private func duplicates(_ words: [String]) -> [String] {
        Dictionary(grouping: words) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
    }
}
