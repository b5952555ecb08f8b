import DevhostBase
import DevhostCommandLine

/// `urls ENVIRONMENT`: where the VMs of an environment are published.
struct URLsCommand: ProgramCommand {
    static let environment = Operand("ENVIRONMENT", .folder)

    static let usage = CommandUsage(
        "urls", summary: "print the addresses of an environment's VMs",
        discussion: "Hosts with a dynamic name that have no VM yet are left out with a notice.",
        operands: [environment], examples: [.init("urls environments/dev", "Print https://ALIAS.VM.DEVHOST/ for each.")]
    )

    let folder: String

    init(_ arguments: Arguments) throws(DevhostError) { folder = arguments.texts(Self.environment).first ?? "" }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let configuration = try EnvironmentConfiguration(folder: Executable.absoluteFolder(folder))
        let names = try DynamicNames(folder: configuration.folder)
        for host in configuration.hosts {
            guard let name = try names.name(of: host) else {
                context.progress.notice("\(host.name) has no VM yet: devhost-provision up makes it")
                continue
            }
            for url in host.urls(of: name) { try context.output.line(url) }
        }
        return .success
    }
}
