/// One examination of a devhost: collects symptoms, check by check.
struct Doctor: Sendable {
    let devhost: Devhost
    let progress: ProgressHandler
    private(set) var checks: [String] = []
    private(set) var symptoms: [Symptom] = []

    init(devhost: Devhost, progress: @escaping ProgressHandler) {
        self.devhost = devhost
        self.progress = progress
    }

    mutating func examine() async throws {
        let machine = MachineChecks(devhost: devhost)
        await check("settings and folders") { machine.permissions() }
        await check("disk space") { machine.space() }
        let libvirt: Connection
        do {
            checks.append("libvirt")
            libvirt = try await devhost.libvirt()
        } catch {
            symptoms.append(
                Symptom(
                    .error, "libvirt", "\(error)", because: "no VM can be started, stopped or looked at",
                    remedy: "systemctl start libvirtd, or virtlogd -d and libvirtd -d"))
            return
        }
        await check("acceleration") { try await machine.acceleration(libvirt) }
        let survey = try await DoctorSurvey(devhost: devhost, libvirt: libvirt)
        await check("forwarding") { machine.forwarding(libvirt, survey) }
        let network = NetworkChecks(devhost: devhost, libvirt: libvirt, survey: survey)
        await check("network") { try await network.network() }
        await check("name resolution") { try network.resolution() }
        await check("memory") { try await machine.memory(libvirt, survey) }
        let images = ImageChecks(devhost: devhost, libvirt: libvirt, survey: survey)
        await check("image store") { try await images.symptoms() }
        let releases = ReleaseChecks(devhost: devhost)
        await check("catalog") { try releases.symptoms() }
        let templates = TemplateChecks(devhost: devhost, libvirt: libvirt)
        await check("templates") { try await templates.symptoms() }
        let vms = VMChecks(devhost: devhost, libvirt: libvirt, survey: survey)
        await check("records") { vms.records() }
        await check("VMs") { try vms.parts() }
        await check("what belongs to no VM") { try vms.orphans() }
        let use = UseChecks(devhost: devhost, survey: survey)
        await check("signs of use") { use.symptoms() }
        let publishing = PublishChecks(devhost: devhost, survey: survey)
        await check("published names") { try publishing.names() }
        await check("Caddy") { publishing.proxy() }
        await check("certificates") { try publishing.certificates() }
        await check("public address") { try publishing.address() }
    }

    /// Runs one check; one that cannot look is a finding of its own.
    private mutating func check(_ name: String, _ body: () async throws -> [Symptom]) async {
        progress(.step("looking at \(name)"))
        checks.append(name)
        do {
            symptoms += try await body()
        } catch {
            symptoms.append(
                Symptom(
                    .error, name, "it cannot be looked at: \(error)", because: "what is wrong there stays hidden",
                    remedy: nil))
        }
    }
}
