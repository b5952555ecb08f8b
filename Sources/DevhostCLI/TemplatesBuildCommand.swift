import DevhostCommandLine
import DevhostCore

/// `templates build IMAGE`: makes a template.
struct TemplatesBuildCommand: ProgramCommand {
    static let image = Operand("IMAGE")
    static let cpu = Option.value("cpu", "N", "The CPUs of the VMs that start from it.")
    static let memory = Option.value(
        "memory", "SIZE", "The memory of the VMs that start from it: MiB, or a number with M or G.")
    static let json = Option.flag("json", "Print everything about the template as JSON.")

    static let usage = CommandUsage(
        "templates build", summary: "make the template of an image and a shape",
        discussion: """
            Boots a system without an identity and keeps its memory, which takes a boot and the room of what it holds
            in memory. A template that there is already is made anew. CPUs and memory are those of the configuration
            unless told otherwise.

            IMAGE is the SHA-256 digest of an image in the store or the beginning of it, the URL of an image, or a
            release: fcrs://CHANNEL/RELEASE.
            """,
        options: [cpu, memory, json], operands: [image],
        examples: [.init("templates build --cpu 2 --memory 2G fcrs://dev/", "Let new VMs of this kind start at once.")])

    let source: TemplateSource
    let cpus: CPUCount?
    let memory: MemorySize?
    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        source = try arguments.value(Self.image, as: TemplateSource.self)
        cpus = try arguments.value(Self.cpu, as: CPUCount.self)
        memory = try arguments.value(Self.memory, as: MemorySize.self)
        isJSON = arguments.has(Self.json)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let devhost = try context.devhost()
        let defaults = devhost.configuration.defaults
        let shape = MachineShape(cpus: cpus ?? defaults.cpus, memory: memory ?? defaults.memory)
        let template = try await devhost.buildTemplate(
            of: source, shape: shape, progress: context.progress.handler)
        if isJSON {
            try context.output.json(template)
        } else {
            try context.output.line(
                "template \(template.name) is made: \(template.cpus) CPUs, \(template.memory) of memory, "
                    + "\(ByteText.size(template.size)) on the disk")
        }
        return .success
    }
}
