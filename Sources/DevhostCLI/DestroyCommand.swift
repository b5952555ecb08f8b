import DevhostCommandLine
import DevhostCore

/// `destroy NAME...`: takes VMs away.
struct DestroyCommand: ProgramCommand {
    static let usage = CommandUsage(
        "destroy", otherNames: ["rm"], summary: "take VMs away, with their disks",
        discussion: """
            What is destroyed is gone. Names, addresses and disks are free when the command returns. A name that no VM
            bears is a notice, not an error. One VM that fails does not keep the others.
            """,
        operands: [.vms],
        examples: [.init("destroy demo test", "Take two VMs away.")])

    let names: [VMName]

    init(_ arguments: Arguments) throws(DevhostError) { names = try arguments.values(.vms, as: VMName.self) }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        _ = try await forEach(names) { name in
            if try await devhost.destroy(name, progress: context.progress.handler) {
                try context.output.line("\(name) is destroyed")
            } else {
                context.progress.notice("there is no VM \(name)")
            }
        }
        return .success
    }
}
