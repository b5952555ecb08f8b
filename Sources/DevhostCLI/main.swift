import DevhostCommandLine

runMain(FCDevhost.program, isShielded: true)
