import DevhostCommandLine
import DevhostCore

/// `doctor`: what is wrong with the devhost, and what mends it.
struct DoctorCommand: ProgramCommand {
    static let fix = Option.flag("fix", "Mend what can be mended without a loss; the rest is said.")
    static let json = Option.flag("json", "Print the checks and the findings as JSON.")

    static let usage = CommandUsage(
        "doctor", summary: "look at everything that the devhost stands on",
        discussion: """
            Looks at the machine, libvirt, the network, the image store and every VM, and at every disagreement between
            records, domains, disks, addresses, names and files. Each finding says what is wrong, why it matters and
            what mends it. A VM that another command is working on is left out.

            The exit status tells a monitor: 0 where all is well, 20 for warnings, 21 for errors.
            """,
        options: [fix, json],
        examples: [
            .init("doctor", "Look."), .init("doctor --fix", "Look, and mend what is safe to mend."),
        ])

    let isFixing: Bool
    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        isFixing = arguments.has(Self.fix)
        isJSON = arguments.has(Self.json)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let diagnosis = try await context.devhost().diagnose(
            mending: isFixing, progress: context.progress.handler)
        if isJSON {
            try context.output.json(diagnosis)
        } else {
            for finding in diagnosis.findings { try context.output.write(finding.text) }
            try context.output.line(diagnosis.summary)
        }
        return switch diagnosis.worst {
        case .error: .errors
        case .warning: .warnings
        case .note, nil: .success
        }
    }
}

extension Finding {
    /// One finding as three or four lines.
    var text: String {
        let what =
            switch mending {
            case .done: "mended"
            case .byHand, .safe, .failed: severity.rawValue
            }
        let lines = ["\(what): \(subject): \(problem)", "    \(reason)"]
        let next = mending == .done ? [] : [remedy.map { "    to mend it: \($0)" }].compactMap { $0 }
        return (lines + next).map { $0.printable + "\n" }.joined()
    }
}

extension Diagnosis {
    /// What was looked at, and how many findings there are.
    var summary: String {
        let looked = "looked at \(checks.joined(separator: ", "))"
        let open = findings.filter { $0.mending != .done }
        let counts = Finding.Severity.allCases.reversed().compactMap { severity -> String? in
            let count = open.filter { $0.severity == severity }.count
            return count == 0 ? nil : "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
        }
        let mended = findings.count - open.count
        let tail = mended == 0 ? "" : ", \(mended) mended"
        return "\(looked): \(counts.isEmpty ? "all is well" : counts.joined(separator: ", "))\(tail)"
    }
}
