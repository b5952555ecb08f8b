import DevhostCommandLine
import DevhostCore

/// `suspend NAME...`: keeps the memory of VMs on disk.
struct SuspendCommand: ProgramCommand {
    static let usage = CommandUsage(
        "suspend", summary: "keep the memory of VMs on disk and free it on the devhost",
        discussion: """
            start and ensure let them go on where they were: programs go on running, and the clock is set right. They \
            stay suspended when the devhost starts. shutdown resumes a suspended VM to shut it down in order.

            Memory on disk that cannot be used any more is removed, and the VM boots instead; a warning says so. It stays \
            where the devhost lacks what the VM needs: a disk that a backup locks, room, memory, KVM.
            """, operands: [.vms])

    let names: [VMName]

    init(_ arguments: Arguments) throws(DevhostError) { names = try arguments.values(.vms, as: VMName.self) }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        _ = try await forEach(names) { name in
            let didRun = try await devhost.suspend(name, progress: context.progress.handler)
            try context.output.line(didRun ? "\(name) is suspended" : "\(name) did not run")
        }
        return .success
    }
}
