import DevhostCommandLine
import DevhostCore

/// `start NAME...`: starts VMs as they were last ensured.
struct StartCommand: ProgramCommand {
    static let usage = CommandUsage(
        "start", summary: "start VMs and wait until they answer ssh",
        discussion: "One that is suspended goes on where it was. They also start with the devhost from now on.",
        operands: [.vms])

    let names: [VMName]

    init(_ arguments: Arguments) throws(DevhostError) { names = try arguments.values(.vms, as: VMName.self) }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        _ = try await forEach(names) { name in
            let description = try await devhost.start(name, progress: context.progress.handler)
            try context.output.line(description.sentence)
        }
        return .success
    }
}
