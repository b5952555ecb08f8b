/// What the doctor looks at of the templates that new VMs start from.
struct TemplateChecks: Sendable {
    let devhost: Devhost
    let libvirt: Connection

    func symptoms() async throws -> [Symptom] {
        guard Files.isDirectory(devhost.layout.templates) else { return [] }
        var symptoms: [Symptom] = []
        for template in try await devhost.templates() {
            guard let problem = template.problem else { continue }
            symptoms.append(
                Symptom(
                    .note, "template \(template.name)", "it cannot be used: \(problem)",
                    because: "VMs of \(template.cpus) CPUs and \(template.memory) boot cold",
                    remedy: "fc-devhost doctor --fix, then 'fc-devhost templates build'",
                    mend: { [devhost] in try await devhost.discardTemplate(template.name) }))
        }
        let leftovers = try await devhost.templateLeftovers(libvirt)
        if !leftovers.isEmpty {
            symptoms.append(
                Symptom(
                    .note, "templates", "half of \(leftovers.joined(separator: ", ")) is left",
                    because: "it takes up room until the next template is made", remedy: "fc-devhost doctor --fix",
                    mend: { [devhost] in for key in leftovers { try await devhost.discardTemplate(key) } }))
        }
        return symptoms
    }
}
