import DevhostBase
import DevhostCommandLine
import FoundationEssentials

/// `up ENVIRONMENT [HOST…]`: the VMs of an environment, brought up and prepared.
struct UpCommand: ProgramCommand {
    static let rebuild = Option.flag("rebuild", "Destroy the VMs first and begin anew.")
    static let environment = Operand("ENVIRONMENT", .folder)
    static let host = Operand("HOST", isOptional: true, isRepeatable: true)

    static let usage = CommandUsage(
        "up", summary: "bring up and prepare the VMs of an environment",
        discussion: """
            For each host of environment.cfg, side by side: the VM on its devhost, the environment's ssh configuration,
            provision.nix unless provision.sh copies it itself, provision.sh, and fc-manage -c, whose failure is a
            warning. A host that fails does not hold up the others.

            ssh_config_ENVIRONMENT in the project's folder reaches the VMs from then on, with a key of its own and
            their host keys checked.
            """,
        options: [rebuild] + RunOptions.all, operands: [environment, host],
        examples: [
            .init("up environments/dev", "Bring up all VMs of an environment."),
            .init("up --rebuild environments/dev web", "Make one of them anew."),
        ])

    let options: RunOptions
    let rebuilds: Bool
    let folder: String
    let hosts: [String]

    init(_ arguments: Arguments) throws(DevhostError) {
        options = RunOptions(arguments)
        rebuilds = arguments.has(Self.rebuild)
        folder = arguments.texts(Self.environment).first ?? ""
        hosts = arguments.texts(Self.host)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let configuration = try EnvironmentConfiguration(folder: Executable.absoluteFolder(folder))
        var up = EnvironmentUp.Options(environment: ProcessInfo.processInfo.environment, helper: Executable.path)
        up.hosts = hosts
        up.rebuilds = rebuilds
        up.keepsGoing = options.keepsGoing
        up.isDryRun = options.isDryRun
        let isSingle = hosts.count == 1 || configuration.hosts.count == 1
        let reporter = UpReporter(options, context.progress, isSingle: isSingle)
        let environment = try EnvironmentUp(configuration, up) { reporter.report($0) }
        return try await Interruption.cancelling {
            let outcomes = try await environment.run()
            for outcome in outcomes where !options.isDryRun && outcome.isUp {
                for url in outcome.urls { try context.output.line(url) }
            }
            return try Self.status(of: outcomes)
        }
    }

    /// The status of the one host that failed, or 1 where there are several.
    private static func status(of outcomes: [HostOutcome]) throws -> ExitStatus {
        var failures: [DevhostError] = []
        var statuses: Set<Int32> = []
        for outcome in outcomes {
            switch outcome.result {
            case .success(let summary): if summary.status != 0 { statuses.insert(summary.status) }
            case .failure(let error): failures.append(error.prefixed(outcome.host.name))
            }
        }
        if failures.count > 1 || (!failures.isEmpty && !statuses.isEmpty) { throw SeveralFailures(failures: failures) }
        if let failure = failures.first { throw failure }
        return statuses.count > 1 ? .failure : ExitStatus(statuses.first ?? 0)
    }
}
