import DevhostCommandLine

await runMain(FCDevhost.program)
