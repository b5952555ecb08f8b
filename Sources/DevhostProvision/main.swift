import DevhostBase
import DevhostCommandLine

// Verbs of a script start this program again and wait for it: nothing comes before them.
if let status = ScriptHelper.runIfAsked(CommandLine.arguments) { StandardFiles.exit(status) }

runMain(ProvisionProgram.program)
