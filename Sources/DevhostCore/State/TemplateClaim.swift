/// Who is making a template, and what that takes of the devhost meanwhile. Written before its system boots, it goes with
/// the last file of a template that was cut off.
struct TemplateClaim: Sendable, Codable {
    let user: String
    /// In bytes.
    let memory: UInt64
    let cpus: Int

    /// As one of the things that are counted; nil for what is no name of a template.
    func usage(_ key: String) -> VMUsage? {
        guard let name = try? VMName("template-\(key)") else { return nil }
        return VMUsage(name: name, owner: user, memory: memory, cpus: cpus, disk: 0, isVM: false)
    }
}

extension TemplateStore {
    /// The claims that there are, by the names of their templates.
    func claims() throws -> [String: TemplateClaim] {
        var claims: [String: TemplateClaim] = [:]
        for key in try keys() {
            guard let content = try? Files.read(layout.templateClaim(key), limit: 1 << 12) else { continue }
            claims[key] = try? JSONCoding.decode(TemplateClaim.self, from: content)
        }
        return claims
    }
}
