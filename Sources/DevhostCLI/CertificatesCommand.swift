import DevhostCommandLine
import DevhostCore

/// `certificates`: what the published names are served with.
struct CertificatesCommand: ProgramCommand {
    static let json = Option.flag("json", "Print them as JSON.")

    static let usage = CommandUsage(
        "certificates", summary: "show the certificates of everything that is published",
        discussion: """
            For each published name: who signed its certificate, until when it holds, and what went wrong when Caddy last
            tried to get one. A name without a certificate gets one when it is first asked for. Where certificates come
            from a public authority, the last line counts those of the last seven days against its weekly limit.
            """,
        options: [json], examples: [.init("certificates", "See why a name has no certificate.")])

    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) { isJSON = arguments.has(Self.json) }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let report = try context.devhost().certificates()
        if isJSON {
            try context.output.json(report)
            return .success
        }
        let table = TextTable(
            columns: ["NAME", "ISSUER", "EXPIRES", "LAST PROBLEM"].map { TextTable.Column($0) },
            rows: report.certificates.map { [$0.name, $0.issuer, $0.expires?.description, $0.problem] })
        try context.output.write(table.text)
        if let limit = report.weeklyLimit {
            try context.output.line(
                "\(report.newThisWeek) of \(limit) certificates were given out in the last seven days")
        }
        return .success
    }
}
