import DevhostCommandLine
import DevhostCore

/// `unpin NAME...`: takes pins back.
struct UnpinCommand: ProgramCommand {
    static let usage = CommandUsage(
        "unpin", summary: "let clean-up see to VMs again", operands: [.vms])

    let names: [VMName]

    init(_ arguments: Arguments) throws(DevhostError) { names = try arguments.values(.vms, as: VMName.self) }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        _ = try await forEach(names) { name in
            let was = try await devhost.unpin(name, progress: context.progress.handler)
            try context.output.line(was ? "\(name) is not pinned any more" : "\(name) was not pinned")
        }
        return .success
    }
}
