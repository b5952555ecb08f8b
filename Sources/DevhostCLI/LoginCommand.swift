import DevhostCommandLine
import DevhostCore

/// `login NAME [-- COMMAND...]`: a shell in a VM, or a command there.
struct LoginCommand: ProgramCommand {
    static let usage = CommandUsage(
        "login", otherNames: ["ssh"], summary: "log in to a VM, or run a command in it",
        discussion: """
            Logs in as developer. The ssh client runs as whoever called sudo, never as root, with a key that was made
            for this login and that only this VM accepts. The words of a command are joined by blanks and reach a
            shell in the VM, as with ssh; its exit status is that of fc-devhost.
            """,
        operands: [.vm], passedThrough: "COMMAND", passesStatus: true,
        examples: [
            .init("login demo", "A shell in a VM."),
            .init("ssh demo -- sudo systemctl restart nginx", "Run a command in it."),
        ])

    let name: VMName
    let command: [String]

    init(_ arguments: Arguments) throws(DevhostError) {
        name = try arguments.value(.vm, as: VMName.self)
        command = arguments.passedThrough
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let session = try await context.devhost().login(name, command: command)
        context.progress.yield()
        return ExitStatus(try await session.run())
    }
}
