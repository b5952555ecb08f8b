import DevhostCommandLine

/// The program devhost-provision: the table of its commands.
enum ProvisionProgram {
    static let program = Program(
        "devhost-provision", summary: "prepare development VMs from scripts and whole environments",
        discussion: """
            A provision script is a shell script with three more commands: COPY LOCAL REMOTE sends files, RUN COMMAND
            runs a command in the VM as root, and ECHO WORD... REMOTE writes a file. bash evaluates everything else on
            this machine.

            Secrets are shown as ••• and never stand in the arguments of a program.
            """,
        commands: [UpCommand.self, RunCommand.self, CheckCommand.self, SyncCommand.self, URLsCommand.self])
}
