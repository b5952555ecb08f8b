import DevhostCommandLine

runMain(FCDevhost.program)
