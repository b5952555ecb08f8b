import DevhostCommandLine
import DevhostCore

/// `shutdown NAME...`: shuts VMs down.
struct ShutdownCommand: ProgramCommand {
    static let timeout = Option.value(
        "timeout", "TIME", "How long a guest may take to shut down before it is stopped by force.")

    static let usage = CommandUsage(
        "shutdown", otherNames: ["stop"], summary: "shut VMs down, by force if they do not obey",
        discussion: "They stay off when the devhost starts, until start or ensure.", options: [timeout],
        operands: [.vms])

    let names: [VMName]
    let limit: Duration?

    init(_ arguments: Arguments) throws(DevhostError) {
        names = try arguments.values(.vms, as: VMName.self)
        limit = try arguments.value(Self.timeout, as: TimeLimit.self)?.duration
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        _ = try await forEach(names) { [limit] name in
            let didRun = try await devhost.shutDown(name, limit: limit, progress: context.progress.handler)
            try context.output.line(didRun ? "\(name) is off" : "\(name) was off already")
        }
        return .success
    }
}
