import DevhostBase

/// The completion script for bash; it needs nothing beside bash.
struct BashCompletion {
    let table: CompletionTable

    init(_ table: CompletionTable) { self.table = table }

    func script() -> String {
        let function = table.identifier
        return """
            # bash completion for \(table.program.name)
            \(function)() {
                local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= word i
                COMPREPLY=()
                # bash takes --option=value apart into three words.
                if [[ $cur == = ]]; then
                    cur=
                elif [[ $prev == = ]]; then
                    prev=${COMP_WORDS[COMP_CWORD-2]}
                fi
                for ((i = 1; i < COMP_CWORD; i++)); do
                    word=${COMP_WORDS[i]}
                    case $word in
            \(valueOptionsToSkip)            -*|=) ;;
                        *) command=$word; break ;;
                    esac
                done
                if ((i + 1 < COMP_CWORD)); then
                    case "$command ${COMP_WORDS[i+1]}" in
            \(groupCommands)            *) ;;
                    esac
                fi
                case "$command/$prev" in
            \(values)        *) ;;
                esac
                if [[ $cur == -* ]]; then
                    case $command in
            \(options)            *) ;;
                    esac
                    return
                fi
                case $command in
            \(operands)        *) ;;
                esac
            }
            complete -F \(function) \(table.program.name)

            """
    }

    /// Options before the command whose value is no command.
    private var valueOptionsToSkip: String {
        table.programOptions.filter { $0.valueName != nil }
            .map { "            \(CompletionTable.pattern($0))) ((i++)) ;;\n" }.joined()
    }

    private var groupCommands: String {
        let names = table.groups.flatMap { group in group.words.map { "\"\(group.first) \($0.text)\"" } }
        guard !names.isEmpty else { return "" }
        return "            \(names.joined(separator: "|"))) command=\"$command ${COMP_WORDS[i+1]}\" ;;\n"
    }

    /// The value of an option: known only for some kinds, and for the others nothing at all is offered.
    private var values: String {
        var lines = ""
        for usage in table.program.visibleUsages {
            for option in table.options(of: usage) where option.valueName != nil {
                let pattern = usage.names.flatMap { name in
                    CompletionTable.pattern(option).split(separator: "|").map { "\"\(name)/\($0)\"" }
                }
                lines += "        \(pattern.joined(separator: "|"))) \(reply(option.completion)); return ;;\n"
            }
        }
        for option in table.programOptions where option.valueName != nil {
            let pattern = CompletionTable.pattern(option).split(separator: "|").map { "\"/\($0)\"" }
            lines += "        \(pattern.joined(separator: "|"))) \(reply(option.completion)); return ;;\n"
        }
        return lines
    }

    private var options: String {
        var lines = ""
        for usage in table.program.visibleUsages {
            lines += "            \(pattern(usage))) \(words(table.options(of: usage).flatMap(\.spellings))) ;;\n"
        }
        return lines + "            \"\") \(words(table.programOptions.flatMap(\.spellings))) ;;\n"
    }

    private var operands: String {
        var lines = "        \"\") \(words(table.firstWords.map(\.text))) ;;\n"
        for (first, words) in table.groups where table.program.command(named: first) == nil {
            lines += "        \(first)) \(self.words(words.map(\.text))) ;;\n"
        }
        for usage in table.program.visibleUsages {
            guard let kind = usage.operands.first?.completion, kind != .text else { continue }
            lines += "        \(pattern(usage))) \(reply(kind)) ;;\n"
        }
        return lines
    }

    private func pattern(_ usage: CommandUsage) -> String {
        usage.names.map { $0.contains(" ") ? "\"\($0)\"" : $0 }.joined(separator: "|")
    }

    private func reply(_ kind: WordKind) -> String {
        switch kind {
        case .text: ":"
        case .file: "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))"
        case .folder: "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\"))"
        case .choice(let choices): words(choices)
        case .vmName: table.vmNames.map { "COMPREPLY=($(compgen -W \"$(\($0))\" -- \"$cur\"))" } ?? ":"
        }
    }

    private func words(_ words: [String]) -> String {
        "COMPREPLY=($(compgen -W \(words.joined(separator: " ").shellQuoted) -- \"$cur\"))"
    }
}
