/// What happens during a run. No secret stands in any of it.
public enum ProvisionEvent: Sendable {
    /// One of the two streams of the script.
    public enum Channel: Sendable {
        /// Standard output.
        case output
        /// Standard error.
        case errors
    }

    /// The connection to the VM is being made.
    case connecting(host: String)
    /// The VM answers.
    case connected(host: String, after: Duration)
    /// A verb begins; in a dry run, all that happens of it.
    case started(VerbCall)
    /// A verb has ended.
    case finished(VerbResult)
    /// The script, or a command in the VM, has said something.
    case output(Channel, [UInt8])
    /// A line failed that nothing in the script caught.
    case failed(ScriptFailure)
    /// Something the user should know that does not end the run.
    case warning(String)
    /// The run has ended; nothing comes after it. A run that throws has no such end.
    case ended(ProvisionSummary)
}

/// One use of a verb as it is carried out.
public struct VerbCall: Sendable, Hashable {
    /// Counts the verbs of a run.
    public let number: Int
    /// What it does.
    public let verb: ProvisionScript.Verb
    /// Its words as the script's evaluation left them, secrets masked.
    public let arguments: [String]
    /// The file that the verb stands in; empty for what every run does beside its script.
    public let source: String
    /// The line that the verb stands on; nil beside the script.
    public let line: Int?

    /// Where the verb stands, for the beginning of a line: `provision.sh:12: `.
    public var place: String { line.map { "\(source):\($0): " } ?? "" }

    /// The verb and its words as one line of a shell.
    public var description: String {
        ([verb.rawValue] + arguments.map { $0.shellQuoted.printable }).joined(separator: " ")
    }
}

/// How a verb ended.
public struct VerbResult: Sendable, Hashable {
    /// The verb.
    public let call: VerbCall
    /// Its exit status.
    public let status: Int32
    /// How long it took.
    public let duration: Duration
}

/// A line that failed.
public struct ScriptFailure: Sendable, Hashable, CustomStringConvertible {
    /// The file.
    public let source: String
    /// The line; nil where bash did not say.
    public let line: Int?
    /// The command as it is written; nil where bash did not say.
    public let command: String?
    /// The exit status.
    public let status: Int32

    /// For instance `provision.sh:12: RUN false: exit 1`.
    public var description: String {
        let place = line.map { "\(source):\($0)" } ?? source
        return [place, command ?? "", "exit \(status)"].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}

/// How a run went.
public struct ProvisionSummary: Sendable {
    /// The exit status of the script; with `keepGoing`, that of the first line that failed.
    public let status: Int32
    /// The lines that failed; more than one only with `keepGoing`.
    public let failures: [ScriptFailure]
    /// The verbs in the order in which they ended.
    public let verbs: [VerbResult]
    /// How long the run took.
    public let duration: Duration

    /// How often each verb was used, and how long it took in total.
    public var times: [(verb: ProvisionScript.Verb, count: Int, total: Duration)] {
        ProvisionScript.Verb.allCases.compactMap { verb in
            let results = verbs.filter { $0.call.verb == verb }
            return results.isEmpty ? nil : (verb, results.count, results.map(\.duration).reduce(.zero, +))
        }
    }
}
