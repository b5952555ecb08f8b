import DevhostCommandLine

/// The options that everything has that runs a script.
struct RunOptions: Sendable {
    static let keepGoing = Option.flag(
        "keep-going", short: "k", "Go on after lines that fail; the first one's status is the run's.")
    static let dryRun = Option.flag("dry-run", short: "n", "Evaluate the script and name what its verbs would do.")
    static let verbose = Option.flag("verbose", short: "v", "Name each verb when it begins.")
    static let all = [keepGoing, dryRun, verbose]

    let keepsGoing: Bool
    let isDryRun: Bool
    let isVerbose: Bool

    init(_ arguments: Arguments) {
        keepsGoing = arguments.has(Self.keepGoing)
        isDryRun = arguments.has(Self.dryRun)
        isVerbose = arguments.has(Self.verbose)
    }
}
