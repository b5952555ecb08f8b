import DevhostBase

/// `completion SHELL`: a script that teaches a shell the commands, options and names of VMs.
struct CompletionCommand: ProgramCommand {
    enum Shell: String, CaseIterable {
        case bash, zsh, fish
    }

    static let shell = Operand("SHELL", .choice(Shell.allCases.map(\.rawValue)))

    static let usage = CommandUsage(
        "completion", summary: "print a completion script for bash, zsh or fish",
        discussion: """
            The script completes commands, options, their values and the names of VMs. bash reads it from a file of
            the program's name in /usr/share/bash-completion/completions, zsh from a file _PROGRAM in a folder of
            $fpath, fish from PROGRAM.fish in /usr/share/fish/vendor_completions.d.
            """,
        operands: [shell],
        examples: [CommandUsage.Example("completion bash", "Print the script for bash.")])

    let shell: Shell

    init(_ arguments: Arguments) throws(DevhostError) {
        let text = arguments.texts(Self.shell).first ?? ""
        guard let shell = Shell(rawValue: text) else {
            throw DevhostError(
                .invalidArgument, "there is no completion for \(text.quoted)", next: "use bash, zsh or fish")
        }
        self.shell = shell
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let table = CompletionTable(context.program)
        let script =
            switch shell {
            case .bash: BashCompletion(table).script()
            case .zsh: ZshCompletion(table).script()
            case .fish: FishCompletion(table).script()
            }
        try context.output.write(script)
        return .success
    }
}
