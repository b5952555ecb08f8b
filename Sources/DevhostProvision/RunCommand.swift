import DevhostBase
import FoundationEssentials

/// `devhost-provision run SCRIPT`: one script against one VM, with the variables that the caller has set.
enum RunCommand {
    static func run(_ arguments: [String]) async throws -> Int32 {
        let arguments = try Arguments(
            arguments, flags: ["--keep-going", "--dry-run", "--verbose"],
            valued: ["--vm", "--ssh-config", "--service-user"])
        guard let script = arguments.words.first, arguments.words.count == 1 else {
            throw DevhostError(.invalidArgument, "there is not one script to run", next: "write run [OPTION…] SCRIPT")
        }
        let caller = ProcessInfo.processInfo.environment
        guard let vm = arguments["--vm"] ?? caller["PROVISION_VM"] ?? caller["PROVISION_CONTAINER"] else {
            throw DevhostError(.invalidArgument, "no VM is named", next: "give --vm NAME or set PROVISION_VM")
        }
        var options = ProvisionSession.Options(
            script: script,
            target: try GuestTarget(host: vm, configuration: arguments["--ssh-config"] ?? caller["SSH_CONFIG"]),
            environment: ScriptVariables.completing(caller, vm: vm), helper: Executable.path)
        options.secrets = ScriptVariables.secrets(in: caller)
        options.serviceUser = arguments["--service-user"]
        options.keepsGoing = arguments.has("--keep-going")
        options.isDryRun = arguments.has("--dry-run")
        let reporter = RunReporter(isVerbose: arguments.has("--verbose"), isDryRun: options.isDryRun)
        let session = try ProvisionSession(options) { reporter.report($0) }
        let summary = try await Interruption.cancelling { try await session.run() }
        reporter.report(summary)
        return summary.status
    }
}
