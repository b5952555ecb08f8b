import DevhostCommandLine
import DevhostCore

/// `wait NAME...`: waits until VMs answer ssh, and changes nothing.
struct WaitCommand: ProgramCommand {
    static let timeout = Option.value("timeout", "TIME", "How long to wait, for instance 300 or 5m.")

    static let usage = CommandUsage(
        "wait", summary: "wait until VMs answer ssh", options: [timeout], operands: [.vms])

    let names: [VMName]
    let limit: Duration?

    init(_ arguments: Arguments) throws(DevhostError) {
        names = try arguments.values(.vms, as: VMName.self)
        limit = try arguments.value(Self.timeout, as: TimeLimit.self)?.duration
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        _ = try await forEach(names) { [limit] name in
            try await devhost.wait(for: name, limit: limit, progress: context.progress.handler)
            try context.output.line("\(name) answers ssh")
        }
        return .success
    }
}
