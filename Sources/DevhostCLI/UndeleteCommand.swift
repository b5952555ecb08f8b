import DevhostCommandLine
import DevhostCore

/// `undelete NAME...`: has VMs back from the trash.
struct UndeleteCommand: ProgramCommand {
    static let usage = CommandUsage(
        "undelete", summary: "have VMs back from the trash",
        discussion: """
            A VM comes back with all it had: disk, name, id, addresses, host key. It is off, until start or ensure.
            'ls --trash' lists the VMs in the trash and when they are gone.
            """,
        operands: [.vms])

    let names: [VMName]

    init(_ arguments: Arguments) throws(DevhostError) { names = try arguments.values(.vms, as: VMName.self) }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        _ = try await forEach(names) { name in
            if try await devhost.restoreFromTrash(name, progress: context.progress.handler) {
                try context.output.line("\(name) is back, and off; 'fc-devhost start \(name)' starts it")
            } else {
                context.progress.notice("\(name) is not in the trash")
            }
        }
        return .success
    }
}
