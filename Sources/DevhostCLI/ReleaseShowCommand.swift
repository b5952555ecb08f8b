import DevhostCommandLine
import DevhostCore

/// `release show REFERENCE`: what a release reference stands for.
struct ReleaseShowCommand: ProgramCommand {
    static let hydraEval = Option.value(
        "hydra-eval", "N", "An evaluation of Hydra, by its number, instead of a reference.")
    static let json = Option.flag("json", "Print it as JSON.")
    static let reference = Operand("REFERENCE", isOptional: true)

    static let usage = CommandUsage(
        "release show", summary: "show what a release reference stands for",
        discussion: """
            A reference is fcrs://CHANNEL/RELEASE, fcrs://CHANNEL/ for the latest release, or the URL of a release's
            metadata.
            """,
        options: [hydraEval, json], operands: [reference],
        examples: [.init("release show fcrs://fc-23.11-production/", "The latest release of a channel.")])

    let reference: ReleaseReference
    let isJSON: Bool

    init(_ arguments: Arguments) throws(DevhostError) {
        let evaluation = try arguments.value(
            Self.hydraEval, parse: { text throws(DevhostError) in try ReleaseReference(hydraEvaluation: text) })
        if let evaluation {
            guard arguments.texts(Self.reference).isEmpty else {
                throw DevhostError(
                    .invalidArgument, "--hydra-eval and a reference exclude each other", next: "give one of them")
            }
            reference = evaluation
        } else {
            reference = try arguments.value(Self.reference, as: ReleaseReference.self)
        }
        isJSON = arguments.has(Self.json)
    }

    func run(_ context: CommandContext) async throws -> ExitStatus {
        let release = try await context.devhost().describe(reference)
        if isJSON {
            try context.output.json(release)
        } else {
            try context.output.write(
                TextTable.fields([
                    ("reference", release.reference.description),
                    ("release", release.releaseName),
                    ("channel", release.channelURL?.redacted),
                    ("image", release.imageURL.redacted),
                    ("image SHA-256", release.imageHash?.description ?? "not pinned"),
                    ("changes", release.changelogURL),
                ]))
        }
        return .success
    }
}
