import DevhostCommandLine
import DevhostCore

/// `clone NAME NEW`: makes a VM like another one.
struct CloneCommand: ProgramCommand {
    static let new = Operand("NEW")
    static let authorizedKey = EnsureCommand.authorizedKey
    static let timeout = EnsureCommand.timeout
    static let json = EnsureCommand.json

    static let usage = CommandUsage(
        "clone", summary: "make a VM like another one, with an identity of its own",
        discussion: """
            The disk is copied, and nothing binds the two afterwards. The clone has its own name, addresses, ssh host
            key and machine-id, belongs to whoever makes it, and boots twice to get there. Memory, CPUs, aliases and
            release are those of the VM that it is made from; its snapshots are not.

            That VM may run, and goes on; its clone starts as after a loss of power at that moment. The keys that may
            log in are those given here, or the VM's own where it belongs to the caller.
            """,
        options: [authorizedKey, timeout, json], operands: [.vm, new],
        examples: [.init("clone demo demo2", "A second VM with what demo has on its disk.")])

    let source: VMName
    let name: VMName
    let keys: [AuthorizedKey]?
    let limit: Duration?
    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        source = try arguments.value(.vm, as: VMName.self)
        name = try arguments.value(Self.new, as: VMName.self)
        keys =
            arguments.text(Self.authorizedKey) == nil
            ? nil : try arguments.values(Self.authorizedKey, as: AuthorizedKey.self)
        if let keys { try AuthorizedKey.check(keys) }
        limit = try arguments.value(Self.timeout, as: TimeLimit.self)?.duration
        isJSON = arguments.has(Self.json)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let description = try await context.devhost().clone(
            source, as: name, authorizedKeys: keys, startLimit: limit, progress: context.progress.handler)
        if isJSON {
            try context.output.json(description)
        } else {
            try context.output.line(description.sentence)
        }
        return .success
    }
}
