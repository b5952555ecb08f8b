import DevhostCommandLine
import DevhostCore

/// `restart NAME...`: shuts VMs down and starts them again.
struct RestartCommand: ProgramCommand {
    static let usage = CommandUsage(
        "restart", summary: "shut VMs down, start them and wait until they answer ssh", operands: [.vms])

    let names: [VMName]

    init(_ arguments: Arguments) throws(DevhostError) { names = try arguments.values(.vms, as: VMName.self) }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        _ = try await forEach(names) { name in
            let description = try await devhost.restart(name, progress: context.progress.handler)
            try context.output.line(description.sentence)
        }
        return .success
    }
}
