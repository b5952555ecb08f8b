import DevhostCommandLine
import DevhostCore

/// `destroy NAME...`: takes VMs away.
struct DestroyCommand: ProgramCommand {
    static let trash = Option.flag(
        "trash", "Put them into the trash instead: undelete has them back until their days there are over.")

    static let usage = CommandUsage(
        "destroy", otherNames: ["rm"], summary: "take VMs away, with their disks",
        discussion: """
            What is destroyed is gone. Names, addresses and disks are free when the command returns. A name that no VM
            bears is a notice, not an error. One VM that fails does not keep the others. A VM in the trash is destroyed
            like any other.
            """,
        options: [trash], operands: [.vms],
        examples: [
            .init("destroy demo test", "Take two VMs away."),
            .init("destroy --trash demo", "Take one away, and be able to have it back."),
        ])

    let names: [VMName]
    let isTrash: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        names = try arguments.values(.vms, as: VMName.self)
        isTrash = arguments.has(Self.trash)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        _ = try await forEach(names) { [isTrash] name in
            if isTrash {
                if try await devhost.moveToTrash(name, progress: context.progress.handler) {
                    let days = devhost.configuration.cleanup.trashDays
                    try context.output.line(
                        "\(name) is in the trash for \(days) days; 'fc-devhost undelete \(name)' has it back")
                } else {
                    context.progress.notice("there is no VM \(name) that is not in the trash already")
                }
            } else if try await devhost.destroy(name, progress: context.progress.handler) {
                try context.output.line("\(name) is destroyed")
            } else {
                context.progress.notice("there is no VM \(name)")
            }
        }
        return .success
    }
}
