import DevhostBase
import DevhostCommandLine
import FoundationEssentials

/// `sync SRC VM:DEST`: a folder of a VM kept like one of this machine.
struct SyncCommand: ProgramCommand {
    static let watch = Option.flag("watch", short: "w", "Go on: send every change when it happens.")
    static let user = Option.value(
        "as", "USER", "The user that files in the VM belong to; otherwise the service user of the VM's environment.")
    static let sshConfig = Option.value(
        "ssh-config", "FILE", completion: .file,
        "The ssh configuration that knows the VM; otherwise SSH_CONFIG, or the ssh_config_* of this project.")
    static let source = Operand("SRC", .folder)
    static let destination = Operand("VM:DEST")

    static let usage = CommandUsage(
        "sync", summary: "keep a folder of a VM like one of this machine",
        discussion: """
            As with rsync, a slash behind SRC means its content. What is gone from SRC goes from DEST too; .git is left
            out. With --watch, each burst of changes is sent over a connection that stays.
            """,
        options: [watch, user, sshConfig], operands: [source, destination],
        examples: [.init("sync --watch src/ web:/srv/s-dev/src", "Work here, run there.")])

    let watches: Bool
    let user: String?
    let configuration: String?
    let source: String
    let vm: String
    let destination: String

    init(_ arguments: Arguments) throws(DevhostError) {
        watches = arguments.has(Self.watch)
        user = arguments.text(Self.user)
        configuration = arguments.text(Self.sshConfig)
        source = arguments.texts(Self.source).first ?? ""
        let text = arguments.texts(Self.destination).first ?? ""
        guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not VM:DEST", next: "write for instance web:/srv/app")
        }
        vm = String(text[..<colon])
        destination = String(text[text.index(after: colon)...])
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let environment = ProcessInfo.processInfo.environment
        let configuration =
            try (configuration ?? environment["SSH_CONFIG"]).map(Executable.absolute)
            ?? ProjectFile.sshConfiguration(of: vm, below: Executable.absolute("."))
        var options = FolderSync.Options(
            source: source, target: try GuestTarget(host: vm, configuration: configuration),
            destination: destination, environment: environment)
        options.user = user ?? configuration.flatMap { ProjectFile.serviceUser(of: vm, in: $0) }
        let sync = try FolderSync(options)
        let progress = context.progress
        return try await Interruption.cancelling {
            do {
                try await run(sync, progress)
            } catch {
                await sync.close()
                throw error
            }
            await sync.close()
            return .success
        }
    }

    private func run(_ sync: FolderSync, _ progress: TerminalProgress) async throws {
        guard watches else { return try await sync.once() }
        try await sync.watch {
            progress.report(.step("sent in \(RunReporter.seconds($0)); waiting for changes"))
        } failed: {
            progress.warning($0.description)
        }
    }
}
