import DevhostCommandLine
import DevhostCore

/// `ensure NAME`: brings a VM up, or up to date.
struct EnsureCommand: ProgramCommand {
    static let memory = Option.value("memory", "SIZE", "Its memory: MiB, or a number with M or G.")
    static let cpu = Option.value("cpu", "N", "Its number of CPUs.")
    static let diskSize = Option.value(
        "disk-size", "SIZE", "The size of its disk, for instance 50G. It can grow, never shrink.")
    static let aliases = Option.value(
        "aliases", "LIST",
        "The names it is published under, separated by blanks, as https://ALIAS.NAME.ADDRESS/. An empty list withdraws "
            + "all.")
    static let aliasPort = Option.value(
        "alias-port", "ALIAS=PORT", isRepeatable: true,
        "Where an alias leads in the VM, for instance app=8443 for https or app=http:8080 for plain http. Aliases lead "
            + "to https on port 443 unless told otherwise.")
    static let isPrivate = Option.toggle(
        "private", "Whether only those may see what it publishes whom devhost.cfg allows.")
    static let location = Option.value("location", "NAME", "Where it stands, as its platform is told.")
    static let authorizedKey = Option.value(
        "authorized-key", "KEY", isRepeatable: true,
        "A public key of its owner that may log in: one line of a .pub file. The keys given replace those it has.")
    static let imageURL = Option.value("image-url", "URL", "The image a new VM starts from.")
    static let channelURL = Option.value("channel-url", "URL", "The channel its platform follows; with --image-url.")
    static let hydraEval = Option.value(
        "hydra-eval", "N", "Image and channel of an evaluation of Hydra, by its number.")
    static let release = Option.value(
        "release", "REFERENCE",
        "Image and channel of a release: fcrs://CHANNEL/RELEASE, fcrs://CHANNEL/ for the latest, or the URL of its "
            + "metadata.")
    static let updateChannel = Option.toggle(
        "update-channel", "Whether a VM that exists moves to the channel named here; it does unless told otherwise.")
    static let timeout = Option.value(
        "timeout", "TIME", "How long its ssh may take to answer, for instance 300 or 5m.")
    static let cold = Option.flag(
        "cold", "Boot a new VM although there is a template that it could start from.")
    static let json = Option.flag("json", "Print everything about the VM as JSON.")

    static let usage = CommandUsage(
        "ensure", summary: "see to it that a VM exists, is as asked for, runs and answers ssh",
        discussion: """
            Each step looks first and does only what is missing: on a VM that is as asked for nothing happens, and
            after an interruption the same command completes. What is not said stays as it is; a new VM takes it from
            the configuration.

            More memory, more CPUs and a larger disk reach a VM that runs; where that is not possible it restarts, and
            says so. A new VM that fails is taken away again and leaves its console to logs; one that exists is
            never destroyed.

            A new VM starts warm where there is a template for its image, CPUs and memory (see templates), and boots
            cold otherwise; the result says which.
            """,
        options: [
            memory, cpu, diskSize, aliases, aliasPort, isPrivate, location, authorizedKey, imageURL, channelURL,
            hydraEval, release,
            updateChannel, timeout, cold, json,
        ],
        operands: [.vm],
        examples: [
            .init(
                "ensure --memory 2G --cpu 2 --image-url file:///srv/images/dev.qcow2 demo",
                "Bring up a VM from an image."),
            .init("ensure --disk-size 80G demo", "Give it a larger disk."),
            .init("ensure --aliases 'www api' demo", "Publish it under two names."),
        ])

    let request: EnsureRequest
    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        var request = EnsureRequest(name: try arguments.value(.vm, as: VMName.self))
        request.memory = try arguments.value(Self.memory, as: MemorySize.self)
        request.cpus = try arguments.value(Self.cpu, as: CPUCount.self)
        request.diskSize = try arguments.value(Self.diskSize, as: DiskSize.self)
        request.aliases = try arguments.value(Self.aliases) { text throws(DevhostError) in try Alias.parseList(text) }
        request.aliasPorts = try arguments.values(Self.aliasPort, as: AliasPort.self)
        request.isPrivate = arguments.toggle(Self.isPrivate)
        request.location = try arguments.value(Self.location, as: Location.self)
        if arguments.text(Self.authorizedKey) != nil {
            let keys = try arguments.values(Self.authorizedKey, as: AuthorizedKey.self)
            try AuthorizedKey.check(keys)
            request.authorizedKeys = keys
        }
        request.release = try Self.release(arguments)
        request.updatesChannel = arguments.toggle(Self.updateChannel) ?? true
        request.startLimit = try arguments.value(Self.timeout, as: TimeLimit.self)?.duration
        request.bootsCold = arguments.has(Self.cold)
        self.request = request
        isJSON = arguments.has(Self.json)
    }

    /// What the options that name a release say, here and in other commands that have them.
    static func release(_ arguments: Arguments) throws(DevhostError) -> ReleaseReference? {
        if let conflict = arguments.conflict(among: [imageURL, hydraEval, release]) { throw conflict }
        if let conflict = arguments.conflict(among: [channelURL, hydraEval, release]) { throw conflict }
        let channel = try arguments.value(channelURL, as: ResourceURL.self)
        if let image = try arguments.value(imageURL, as: ResourceURL.self) { return .image(image, channel: channel) }
        if channel != nil {
            throw DevhostError(.invalidArgument, "--channel-url goes with --image-url", next: "give both")
        }
        if let reference = try arguments.value(
            hydraEval, parse: { text throws(DevhostError) in try ReleaseReference(hydraEvaluation: text) })
        {
            return reference
        }
        return try arguments.value(release) { text throws(DevhostError) in try ReleaseReference(text) }
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let description = try await context.devhost().ensure(request, progress: context.progress.handler)
        if isJSON {
            try context.output.json(description)
        } else {
            try context.output.line(description.sentence)
        }
        return .success
    }
}
