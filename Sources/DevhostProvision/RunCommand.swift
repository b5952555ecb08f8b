import DevhostBase
import DevhostCommandLine
import FoundationEssentials

/// `run SCRIPT`: one script against one VM, with the variables that the caller has set.
struct RunCommand: ProgramCommand {
    static let vm = Option.value("vm", "NAME", "The VM, as ssh knows it; otherwise PROVISION_VM names it.")
    static let sshConfig = Option.value(
        "ssh-config", "FILE", completion: .file,
        "The ssh configuration that knows the VM; otherwise SSH_CONFIG names it.")
    static let serviceUser = Option.value(
        "service-user", "USER", "The user to whom files below its home in the VM belong.")
    static let script = Operand("SCRIPT", .file)

    static let usage = CommandUsage(
        "run", summary: "run a provision script against a VM",
        discussion: """
            All verbs of the script share one ssh connection. A line that fails is named with its status, which is the
            status of the run.

            With --dry-run the verbs are only named; the script's other commands run, on this machine.
            """,
        options: [vm, sshConfig, serviceUser] + RunOptions.all, operands: [script], passesStatus: true,
        examples: [
            .init("run --ssh-config ssh_config_dev --vm demo environments/dev/provision.sh", "Prepare a VM."),
            .init("run --vm demo --dry-run provision.sh", "Show what a script would do."),
        ])

    let options: RunOptions
    let script: String
    let vm: String?
    let configuration: String?
    let serviceUser: String?

    init(_ arguments: Arguments) throws(DevhostError) {
        options = RunOptions(arguments)
        script = arguments.texts(Self.script).first ?? ""
        vm = arguments.text(Self.vm)
        configuration = arguments.text(Self.sshConfig)
        serviceUser = arguments.text(Self.serviceUser)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let caller = ProcessInfo.processInfo.environment
        guard let vm = vm ?? caller["PROVISION_VM"] ?? caller["PROVISION_CONTAINER"] else {
            throw DevhostError(.invalidArgument, "no VM is named", next: "give --vm NAME or set PROVISION_VM")
        }
        let target = try GuestTarget(
            host: vm, configuration: (configuration ?? caller["SSH_CONFIG"]).map(Executable.absolute))
        var session = ProvisionSession.Options(
            script: Executable.absolute(script), target: target,
            environment: ScriptVariables.completing(caller, vm: vm), helper: Executable.path)
        session.secrets = ScriptVariables.secrets(in: caller)
        session.serviceUser = serviceUser
        session.keepsGoing = options.keepsGoing
        session.isDryRun = options.isDryRun
        let reporter = RunReporter(options, context.progress)
        let run = try ProvisionSession(session) { reporter.report($0) }
        return try await Interruption.cancelling {
            ExitStatus(try await run.run().status)
        }
    }
}
