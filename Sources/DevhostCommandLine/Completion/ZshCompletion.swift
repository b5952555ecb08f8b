import DevhostBase

/// The completion script for zsh.
struct ZshCompletion {
    let table: CompletionTable

    init(_ table: CompletionTable) { self.table = table }

    func script() -> String {
        let function = table.identifier
        var functions = ""
        for usage in table.program.visibleUsages {
            functions += "\(name(usage))() {\n    _arguments -s -S \\\n"
            functions += arguments(usage).map { "        \($0)" }.joined(separator: " \\\n") + "\n}\n\n"
        }
        return """
            #compdef \(table.program.name)
            # zsh completion for \(table.program.name)

            \(function)_vm_names() {
                local -a names
                names=(${(f)"$(\(table.vmNames ?? "true"))"})
                compadd -a names
            }

            \(functions)\(function)() {
                local -a commands
                local context state state_descr line
                typeset -A opt_args
                _arguments -s -S -C \\
            \(programOptions)        '1:command:->command' '*::argument:->argument'
                case $state in
                command)
                    commands=(
            \(table.firstWords.map { "            \(description($0))\n" }.joined())        )
                    _describe command commands
                    ;;
                argument)
                    case $line[1] in
            \(dispatch)        esac
                    ;;
                esac
            }

            \(function) "$@"

            """
    }

    private var programOptions: String {
        table.programOptions.flatMap(specifications).map { "        \($0) \\\n" }.joined()
    }

    private var dispatch: String {
        var lines = ""
        let groups = table.groups
        for usage in table.program.visibleUsages {
            let names = usage.names.filter { name in
                !name.contains(" ") && !groups.contains { $0.first == name }
            }
            if !names.isEmpty { lines += "        \(names.joined(separator: "|"))) \(name(usage)) ;;\n" }
        }
        for (first, words) in groups {
            lines += "        \(first))\n            case $words[2] in\n"
            for word in words where table.program.command(named: "\(first) \(word.text)") != nil {
                guard let usage = table.program.command(named: "\(first) \(word.text)")?.usage else { continue }
                lines += "            \(word.text)) shift words; ((CURRENT--)); \(name(usage)) ;;\n"
            }
            let own = table.program.command(named: first).map { "; \(name($0.usage))" } ?? ""
            let offered = words.map { $0.text.shellQuoted }.joined(separator: " ")
            lines += "            *) ((CURRENT == 2)) && compadd \(offered)\(own) ;;\n"
            lines += "            esac\n            ;;\n"
        }
        return lines
    }

    private func arguments(_ usage: CommandUsage) -> [String] {
        var lines = table.options(of: usage).flatMap(specifications)
        for (index, operand) in usage.operands.enumerated() {
            let position = operand.isRepeatable ? "*" : "\(index + 1)"
            lines.append("\(position):\(operand.name):\(action(operand.completion))".shellQuoted)
        }
        if usage.passedThrough != nil { lines.append("'*::command:_normal'") }
        return lines
    }

    private func specifications(_ option: Option) -> [String] {
        let help = option.help.replacingScalars(["\\": "\\\\", "[": "\\[", "]": "\\]", ":": "\\:"])
        let names = (option.short.map { ["-\($0)"] } ?? []) + option.spellings
        let prefix = option.isRepeatable ? "*" : ""
        return names.map { spelling in
            guard let value = option.valueName else { return "\(prefix)\(spelling)[\(help)]".shellQuoted }
            let separator = spelling.hasPrefix("--") ? "=" : "+"
            return "\(prefix)\(spelling)\(separator)[\(help)]:\(value):\(action(option.completion))".shellQuoted
        }
    }

    private func action(_ kind: WordKind) -> String {
        switch kind {
        case .text: ""
        case .file: "_files"
        case .folder: "_files -/"
        case .choice(let words): "(\(words.joined(separator: " ")))"
        case .vmName: "\(table.identifier)_vm_names"
        }
    }

    private func description(_ word: CompletionTable.Word) -> String {
        "\(word.text):\(word.summary.replacingScalars([":": "\\:"]))".shellQuoted
    }

    private func name(_ usage: CommandUsage) -> String {
        table.identifier + "_" + usage.name.map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()
    }
}
