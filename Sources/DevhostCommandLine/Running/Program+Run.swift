import DevhostBase

extension Program {
    /// Runs a command line to its end, errors included.
    /// - Parameters:
    ///   - words: The words after the program's name.
    ///   - caller: Who called.
    ///   - output: Where results go.
    ///   - errors: Where everything else goes; the reason of a failure is its last line.
    /// - Returns: The exit status.
    package func run(
        _ words: [String], caller: Caller, output: any TextSink, errors: any TextSink,
        clock: any SystemClock = RealClock()
    ) async -> ExitStatus {
        var passesStatus = false
        let results = ResultOutput(output)
        do {
            switch try parse(words) {
            case .help(let usage):
                try results.write(usage.map { HelpText(self).text(for: $0) } ?? HelpText(self).text())
                try output.finish()
                return .success
            case .version:
                try results.write("\(name) \(Version.current)\n")
                try output.finish()
                return .success
            case .run(let type, let arguments):
                try check(arguments, caller)
                let command = try validated(type, arguments)
                passesStatus = type.usage.passesStatus
                let progress = TerminalProgress(
                    errors, program: name, isQuiet: arguments.has(Self.quiet), clock: clock)
                defer { progress.finish() }
                let status = try await command.run(
                    CommandContext(
                        program: self, arguments: arguments, caller: caller,
                        output: ResultOutput(output, progress: progress), progress: progress))
                try output.finish()
                return status
            }
        } catch is ReaderIsGone {
            return .success
        } catch {
            report(error, to: caller, on: errors)
            return passesStatus ? .passThroughFailure : ExitStatus(for: error)
        }
    }

    private func validated(
        _ type: any ProgramCommand.Type, _ arguments: Arguments
    ) throws(DevhostError) -> any ProgramCommand {
        do {
            return try type.init(arguments)
        } catch {
            throw withHelp(error, for: type.usage)
        }
    }

    /// Says why a command failed: details first, then one line for each failure.
    private func report(_ error: any Error, to caller: Caller, on errors: any TextSink) {
        let failures = (error as? SeveralFailures)?.failures ?? [.wrapping(error, "failed")]
        var text = ""
        for details in failures.compactMap(\.details) {
            let shown = details.printableLines
            text += shown.hasSuffix("\n") ? shown : shown + "\n"
        }
        for failure in failures {
            text += "\(name): \(failure.suggesting(advice(failure, caller)).description.onOneLine)\n"
        }
        try? errors.write(text)
    }
}

extension String {
    /// The text as one line that is safe for a terminal: line ends become slashes.
    var onOneLine: String {
        split(whereSeparator: \.isNewline).map { String($0).trimmed }.filter { !$0.isEmpty }.joined(separator: " / ")
            .printable
    }
}
