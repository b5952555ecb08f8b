/// What the doctor looks at in a catalog that is a folder of this machine.
struct ReleaseChecks: Sendable {
    let devhost: Devhost

    func symptoms() throws -> [Symptom] {
        guard let survey = try devhost.catalog.survey() else { return [] }
        var symptoms = survey.unclaimed.sorted { $0.key < $1.key }.map { channel, releases in
            Symptom(
                .note, "channel \(channel)", "nobody is on record as having published \(Self.list(releases))",
                because: "administrators alone may publish there or remove something, and nobody's limit counts it",
                remedy: "list who may publish under [releases] publishers in devhost.cfg, and have them publish the "
                    + "releases again, or remove them with 'fc-devhost release rm \(channel) RELEASE'")
        }
        symptoms += survey.halfMade.sorted { $0.key < $1.key }.map { channel, releases in
            Symptom(
                .warning, "channel \(channel)", "half-made or half-removed: \(Self.list(releases))",
                because: "they take up room and nobody can use them",
                remedy: "publish them again, or 'fc-devhost release rm \(channel) RELEASE'")
        }
        if survey.leftovers > 0 {
            symptoms.append(
                Symptom(
                    .note, "catalog", "\(survey.leftovers) half-made files of publications are left",
                    because: "they take up room until something is published", remedy: "fc-devhost doctor --fix",
                    mend: { [devhost] in try await devhost.catalog.collect(clock: devhost.clock) }))
        }
        return symptoms
    }

    private static func list(_ releases: [ReleaseName]) -> String {
        releases.prefix(8).map(\.description).joined(separator: ", ")
            + (releases.count > 8 ? " and \(releases.count - 8) more" : "")
    }
}
