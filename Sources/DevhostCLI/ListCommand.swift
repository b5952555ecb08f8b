import DevhostCommandLine
import DevhostCore

/// `list`: the VMs of the devhost. Without `-l` it reads records only: no lock, no libvirt, no root.
struct ListCommand: ProgramCommand {
    static let long = Option.flag("long", short: "l", "A table with the state, the owner and the dates of each VM.")
    static let longFormat = Option.flag("long-format", isHidden: true, "What the old tool called --long.")
    static let user = Option.value("user", "NAME", short: "u", "Only the VMs of this user.")
    static let trash = Option.flag("trash", "Only the VMs in the trash, in a table.")
    static let json = Option.flag("json", "Everything on record as JSON; with -l also what state each VM is in.")

    static let usage = CommandUsage(
        "list", otherNames: ["ls"], summary: "list the VMs",
        discussion: """
            Prints one name a line, sorted. A record that cannot be read is listed too, with the reason as a warning.
            With -l or --json every value in it is looked at.

            Names that are held for VMs in the trash are listed too, because they are taken. With -l such a VM is marked
            in the column ONLINE. The last columns tell when each VM was last used and what becomes of it, and when, if
            nobody uses it until then.
            """,
        options: [long, longFormat, user, trash, json],
        examples: [.init("ls -l --user alice", "What alice's VMs are doing.")])

    let isLong: Bool
    let isTrash: Bool
    let format: ListFormat
    let owner: String?

    init(_ arguments: Arguments) throws(DevhostError) {
        isLong = arguments.has(Self.long) || arguments.has(Self.longFormat)
        isTrash = arguments.has(Self.trash)
        format = arguments.has(Self.json) ? .json : isLong || isTrash ? .table : .names
        owner = arguments.text(Self.user)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        guard format != .names else {
            let vms = try devhost.headings(owner: owner)
            for vm in vms { warn(vm.name, vm.problem, context) }
            try context.output.names(vms.map(\.name))
            return .success
        }
        let (vms, failure) = try await summaries(devhost)
        for vm in vms { warn(vm.name, vm.problem, context) }
        try context.output.list(vms, as: format)
        if let failure { throw failure }
        return .success
    }

    private func warn(_ name: String, _ problem: String?, _ context: CommandContext) {
        if let problem { context.progress.warning("\(name): \(problem)") }
    }

    /// The VMs, and why their states are not known where libvirt does not answer: what is on record is shown all the
    /// same.
    private func summaries(_ devhost: Devhost) async throws -> ([VMSummary], DevhostError?) {
        if isTrash { return (try devhost.trash(owner: owner), nil) }
        guard isLong else { return (try devhost.list(owner: owner), nil) }
        do {
            return (try await devhost.listWithStates(owner: owner), nil)
        } catch let error as DevhostError {
            return (try devhost.list(owner: owner), error)
        }
    }
}
