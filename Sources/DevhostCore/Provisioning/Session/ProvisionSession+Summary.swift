extension ProvisionSession {
    /// Keeps what bash says about a line that failed.
    func note(_ report: FailureReport) {
        let verbs = state.withLock { state in
            state.reports.append(report)
            return state.finished
        }
        if options.keepsGoing, report.depth == 0, !report.source.isEmpty {
            emit(.failed(failure(report, verbs: verbs)))
        }
    }

    /// How the run went.
    /// - Throws: What ended it from outside of the script.
    func summary(bashStatus: Int32, duration: Duration) throws -> ProvisionSummary {
        let (reports, verbs, fatal) = state.withLock { ($0.reports, $0.finished, $0.fatal) }
        if let fatal { throw fatal }
        var failures: [ScriptFailure] = []
        var status = bashStatus
        if options.keepsGoing {
            failures = reports.filter { $0.depth == 0 && !$0.source.isEmpty }.map { failure($0, verbs: verbs) }
            if status == 0 { status = failures.first?.status ?? 0 }
        }
        if status != 0 && failures.isEmpty {
            failures = [cause(of: status, reports: reports, verbs: verbs)]
            emit(.failed(failures[0]))
        }
        return ProvisionSummary(status: status, failures: failures, verbs: verbs, duration: duration)
    }

    private func cause(of status: Int32, reports: [FailureReport], verbs: [VerbResult]) -> ScriptFailure {
        if let report = FailureReport.cause(of: status, in: reports), !report.source.isEmpty {
            return failure(report, verbs: verbs)
        }
        // A script with an ERR trap of its own reports nothing: the last verb that ended so is the likeliest cause.
        if let last = verbs.last, last.status == status { return failure(last) }
        return ScriptFailure(
            source: Self.name(of: options.script ?? options.nixFile ?? options.folder), line: nil, command: nil,
            status: status)
    }

    private func failure(_ report: FailureReport, verbs: [VerbResult]) -> ScriptFailure {
        let source = Self.name(of: report.source)
        // Of a verb, bash knows the last command of its function; of a pipeline, the last part.
        let verb = verbs.last {
            $0.status == report.status && $0.call.line == report.line && $0.call.source == source
        }
        if let verb { return failure(verb) }
        let command = options.secrets.masked(report.command).split(whereSeparator: \.isNewline).first.map(String.init)
        return ScriptFailure(source: source, line: report.line, command: shortened(command), status: report.status)
    }

    private func failure(_ verb: VerbResult) -> ScriptFailure {
        ScriptFailure(
            source: verb.call.source, line: verb.call.line, command: shortened(verb.call.description),
            status: verb.status)
    }

    private func shortened(_ command: String?) -> String? {
        guard let command = command?.printable else { return nil }
        return command.count > 160 ? String(command.prefix(159)) + "…" : command
    }
}
