/// What bash says about a command that failed and that nothing in the script caught.
struct FailureReport: Sendable, Hashable {
    let status: Int32
    let command: String
    let source: String
    let line: Int
    /// How many subshells deep it happened.
    let depth: Int

    init(_ call: ScriptCall) {
        status = Int32(call.text(0)) ?? 1
        command = call.text(1)
        source = call.text(2)
        line = Int(call.text(3)) ?? 0
        depth = Int(call.text(4)) ?? 0
    }

    /// The report that tells why the script ended with a status: the last one of the script itself, or, where the
    /// same failure was reported from the subshells within, the innermost of these.
    static func cause(of status: Int32, in reports: [FailureReport]) -> FailureReport? {
        guard var index = reports.lastIndex(where: { $0.depth == 0 && $0.status == status }) else { return nil }
        while index > 0, reports[index - 1].depth > reports[index].depth, reports[index - 1].status == status,
            !reports[index - 1].source.isEmpty
        {
            index -= 1
        }
        return reports[index]
    }
}
