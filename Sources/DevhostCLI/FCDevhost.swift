import DevhostCommandLine
import DevhostCore

/// The program fc-devhost: the table of its commands.
enum FCDevhost {
    /// `--config`, which every command takes.
    static let config = Option.value(
        "config", "FILE", completion: .file,
        """
        The configuration file, instead of \(Layout.configurationFile). Not through sudo: there it would let the \
        caller choose where root reads and writes.
        """)

    /// `--location`, which the old tool's wrapper appends to every call, and only ensure heeds.
    static let location = Option.value(
        "location", "NAME", isHidden: true, "Taken by every command, as the old tool's callers give it to each.")

    static let program = Program(
        "fc-devhost", summary: "create, list, reach and destroy the development VMs of this machine",
        discussion: """
            A VM is brought up, or brought up to date, by ensure, and taken away by destroy. Commands that change
            something need root, which members of a team have through sudo; the owner of a new VM is whoever called
            sudo.

            Results go to standard output, everything else to standard error. No environment variable changes where
            configuration or state lies.
            """,
        options: [config, location],
        commands: [
            EnsureCommand.self, DestroyCommand.self, ListCommand.self, ShowCommand.self, LoginCommand.self,
            LogsCommand.self, StartCommand.self, ShutdownCommand.self, SuspendCommand.self, RestartCommand.self,
            WaitCommand.self, RebuildCommand.self, SnapshotCommand.self, SnapshotsCommand.self, RestoreCommand.self,
            SnapshotRemoveCommand.self, CloneCommand.self, ImagesCommand.self, ImagesPruneCommand.self,
            TemplatesCommand.self, TemplatesBuildCommand.self, TemplatesRemoveCommand.self, ChannelsCommand.self,
            ReleasesCommand.self, ReleaseShowCommand.self, ReleasePublishCommand.self, ReleaseRemoveCommand.self,
            ChannelRemoveCommand.self, CleanupCommand.self,
            CollectCommand.self, WhyCommand.self, PinCommand.self, UnpinCommand.self, UndeleteCommand.self,
            DoctorCommand.self, EventsCommand.self, MetricsCommand.self, PublishCommand.self, CertificatesCommand.self,
        ],
        files: [
            Program.NamedFile(Layout.configurationFile, "the configuration"),
            Program.NamedFile("\(Layout().records)/NAME.json", "what is wanted of a VM and what it was given"),
            Program.NamedFile("\(Layout().state)/NAME/log", "the console of a VM"),
        ],
        vmNamesCommand: "fc-devhost list",
        check: { arguments, caller throws(DevhostError) in
            guard caller.isElevated, arguments.text(config) != nil else { return }
            throw DevhostError(
                .permissionDenied, "--config is not allowed through sudo",
                next: "ask the administrator to change \(Layout.configurationFile)")
        },
        advice: { error, caller in
            error.code == .permissionDenied && caller.userID != 0 && !caller.isElevated ? "run it with sudo" : nil
        })
}
