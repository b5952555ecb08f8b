extension ProvisionSession {
    /// Keeps what bash says about a line that failed.
    func note(_ report: FailureReport) {
        state.withLock { $0.reports.append(report) }
        if options.keepsGoing, report.depth == 0, !report.source.isEmpty { emit(.failed(failure(report))) }
    }

    /// How the run went.
    /// - Throws: What ended it from outside of the script.
    func summary(bashStatus: Int32, duration: Duration) throws -> ProvisionSummary {
        let (reports, verbs, fatal) = state.withLock { ($0.reports, $0.finished, $0.fatal) }
        if let fatal { throw fatal }
        var failures: [ScriptFailure] = []
        var status = bashStatus
        if options.keepsGoing {
            failures = reports.filter { $0.depth == 0 && !$0.source.isEmpty }.map(failure)
            if status == 0 { status = failures.first?.status ?? 0 }
        }
        if status != 0 && failures.isEmpty {
            failures = [cause(of: status, reports: reports, verbs: verbs)]
            emit(.failed(failures[0]))
        }
        return ProvisionSummary(status: status, failures: failures, verbs: verbs, duration: duration)
    }

    private func cause(of status: Int32, reports: [FailureReport], verbs: [VerbResult]) -> ScriptFailure {
        if let report = FailureReport.cause(of: status, in: reports), !report.source.isEmpty { return failure(report) }
        // A script with an ERR trap of its own reports nothing: the last verb that ended so is the likeliest cause.
        if let last = verbs.last, last.status == status {
            return ScriptFailure(
                source: last.call.source, line: last.call.line, command: last.call.description, status: status)
        }
        return ScriptFailure(source: Self.name(of: options.script), line: nil, command: nil, status: status)
    }

    private func failure(_ report: FailureReport) -> ScriptFailure {
        let command = options.secrets.masked(report.command).split(whereSeparator: \.isNewline).first.map(String.init)
        return ScriptFailure(
            source: Self.name(of: report.source), line: report.line, command: command?.printable,
            status: report.status)
    }
}
