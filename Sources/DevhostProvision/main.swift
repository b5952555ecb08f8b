import DevhostBase

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

// Verbs start this program again and wait for it: nothing comes before them.
if let status = ScriptHelper.runIfAsked(CommandLine.arguments) { exit(status) }

exit(await ProvisionCommands.run(Array(CommandLine.arguments.dropFirst())))
