import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension ProvisionSession {
    /// Runs the script, and after it what closes every run.
    func runParts() async throws -> Int32 {
        let scriptName = options.script.map { "./\(Self.name(of: $0))" }
        var status: Int32 = 0
        if options.nixFile != nil || options.script != nil {
            var body = ""
            if let file = options.nixFile { body += "COPY \(file.shellQuoted) \(Self.nixPath)\n" }
            if options.script != nil { body += BashPrelude.script }
            status = try await runBash(body, script: scriptName ?? "")
        }
        if status == 0, !options.closingCommand.isEmpty, !cancellation.isCancelled {
            try await close()
        }
        return status
    }

    private func close() async throws {
        let words = options.closingCommand.map(\.shellQuoted).joined(separator: " ")
        let reported = state.withLock { $0.reports.count }
        let status = try await runBash("RUN \(words)\n", script: "")
        // The failure is told here; it is none of the script's.
        state.withLock { $0.reports.removeLast($0.reports.count - reported) }
        if status != 0 {
            emit(.warning("\(words) ended with exit \(status): the VM may be half prepared; its output is above"))
        }
    }

    private func runBash(_ body: String, script: String) async throws -> Int32 {
        let streams = try OutputStreams(secrets: options.secrets, emit: emit)
        self.streams.withLock { $0 = streams }
        let null = try FileDescriptor.open("/dev/null", O_RDONLY)
        var command = Command(
            try ProgramFinder.find("bash", environment: options.environment),
            [
                "--norc", "--noprofile", "-c",
                BashPrelude.text(keepGoing: options.keepsGoing, dryRun: options.isDryRun) + body,
                // The same as BASH_SOURCE: scripts compare the two to know whether they are run or read by another.
                script, options.helper, socketPath, script,
            ])
        command.directory = options.folder
        command.environment = scriptEnvironment()
        let bash = try ChildProcess(
            command, input: null.number, output: streams.output.writer, errors: streams.errors.writer)
        streams.start()
        let ladder = Task { try await self.endWhenCancelled(bash) }
        let status = await bash.wait()
        ladder.cancel()
        if status != 0 && !script.isEmpty { cancellation.cancel() }
        // Verbs that the script left in the background are carried through, unless the script failed. A job that has
        // only just begun may still be on its way to its verb.
        try await waitForVerbs()
        for _ in 0..<100 where status == 0 && bash.hasGroup {
            try await Task.sleep(for: .milliseconds(20))
            try await waitForVerbs()
        }
        await endBackgroundJobs(of: bash)
        try await streams.finish()
        return status
    }

    private func waitForVerbs() async throws { try await Blocking.run { self.active.wait() } }

    private func scriptEnvironment() -> [String: String] {
        var environment = options.environment
        // bash would run these before the script.
        for name in ["BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS", "POSIXLY_CORRECT"] { environment[name] = nil }
        environment["PATH"] = environment["PATH"] ?? Command.searchPath
        // The script's own ssh and rsync reach the same VM as its verbs: what was inherited may lead to another.
        let configuration = options.target.configuration
        if let configuration { environment["SSH_CONFIG"] = configuration }
        if configuration != nil || environment["RSYNC_RSH"] == nil {
            environment["RSYNC_RSH"] = connection.sharingShell
        }
        return environment
    }

    private func endWhenCancelled(_ bash: ChildProcess) async throws {
        try await cancellation.wait()
        for (signal, wait) in [(SIGINT, 1), (SIGTERM, 2), (SIGKILL, 0)] {
            bash.signal(signal)
            if wait > 0 { try await Task.sleep(for: .seconds(wait)) }
        }
    }

    /// Ends what the script left running on this machine.
    private func endBackgroundJobs(of bash: ChildProcess) async {
        guard bash.hasGroup else { return }
        if !cancellation.isCancelled {
            emit(.warning("the script ended while a job of its own still ran in the background: the job was ended"))
        }
        bash.signalGroup(SIGTERM)
        for _ in 0..<100 where bash.hasGroup { try? await Task.sleep(for: .milliseconds(20)) }
        bash.signalGroup(SIGKILL)
    }
}
