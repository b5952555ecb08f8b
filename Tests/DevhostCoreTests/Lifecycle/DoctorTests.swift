import Testing

@testable import DevhostCore

/// Each way in which records, libvirt and files can disagree: found with a remedy, mended where that is safe.
@Suite struct DoctorTests {
    let test: TestDevhost
    let devhost: Devhost
    let name: VMName

    init() throws {
        test = try TestDevhost()
        devhost = test.devhost()
        name = try VMName("demo")
    }

    private func diagnosis(mending: Bool = false) async throws -> [Finding] {
        try await devhost.diagnose(mending: mending).findings.filter { $0.severity > .note }
    }

    /// Expects one finding that names all words, and that `--fix` leaves none or this one.
    private func expect(
        _ words: String..., isMended: Bool, at location: SourceLocation = #_sourceLocation
    ) async throws {
        let found = try await diagnosis()
        #expect(found.count == 1, "\(found)", sourceLocation: location)
        let finding = try #require(found.first, sourceLocation: location)
        let text = "\(finding.subject): \(finding.problem) \(finding.remedy ?? "")"
        #expect(words.allSatisfy(text.contains), "\(text)", sourceLocation: location)
        #expect(!finding.reason.isEmpty, sourceLocation: location)
        #expect((finding.mending == .safe) == isMended, sourceLocation: location)
        let mended = try await devhost.diagnose(mending: true)
        #expect(
            mended.findings.first { $0.severity > .note }?.mending == (isMended ? .done : .byHand),
            "\(mended.findings)", sourceLocation: location)
        #expect(try await diagnosis().isEmpty == isMended, sourceLocation: location)
    }

    private func change(_ edit: (inout VMRecord) throws -> Void) throws {
        var record = try devhost.records.require(name)
        try edit(&record)
        try devhost.records.save(record)
    }

    @Test func aDevhostThatIsNewHasNotesAndNothingWorse() async throws {
        let found = try await devhost.diagnose()
        #expect(found.worst == .note && found.findings.contains { $0.subject == "network devhost" }, "\(found)")
        #expect(found.checks.contains("libvirt") && found.checks.contains("VMs"))
    }

    @Test func whatAllVMsShareIsMadeOnANewDevhost() async throws {
        let mended = try await devhost.diagnose(mending: true)
        #expect(mended.findings.contains { $0.subject == "network devhost" && $0.mending == .done }, "\(mended)")
        #expect(try await devhost.diagnose().findings.isEmpty)
    }

    @Test func healthyVMsRunningAndOffAreInGoodHealth() async throws {
        try await devhost.ensure(try test.request("demo"))
        try await devhost.ensure(try test.request("other"))
        try await devhost.shutDown(VMName("other"))
        #expect(try await diagnosis().isEmpty)
    }

    @Test func aLibvirtThatDoesNotAnswerIsAFinding() async throws {
        let lost = Devhost(
            configuration: try Configuration(
                text: "[devhost]\nlibvirt-uri = test:///no/such/file.xml\nstate = \(test.folder.path)/state",
                source: "devhost.cfg"), caller: devhost.caller)
        let found = try await lost.diagnose()
        #expect(found.worst == .error && found.findings.first?.subject == "libvirt")
    }

    @Test func aRecordThatIsHalfAFile() async throws {
        try await devhost.ensure(try test.request("demo"))
        let path = test.configuration.layout.record(name)
        let content = try Files.read(path)
        try Files.write(path, Array(content.prefix(content.count / 2)), mode: 0o644)
        try await expect("record demo", "demo.json", "fc-devhost destroy demo", isMended: false)
        #expect(try await devhost.destroy(name))
        #expect(try await diagnosis().isEmpty)
    }

    @Test func aDomainThatIsGone() async throws {
        try await devhost.ensure(try test.request("demo"))
        let libvirt = try await devhost.libvirt()
        try await libvirt.killDomain(name)
        try await libvirt.undefineDomain(name)
        try await expect("VM demo", "no such domain", "fc-devhost ensure demo", isMended: false)
        try await devhost.ensure(EnsureRequest(name: name))
        #expect(try await diagnosis().isEmpty)
    }

    @Test func aDomainThatRunsAgainstItsRecordAndOneThatDoesNot() async throws {
        try await devhost.ensure(try test.request("demo"))
        let libvirt = try await devhost.libvirt()
        try await libvirt.killDomain(name)
        try await expect("VM demo", "off", "fc-devhost start demo", isMended: false)
        try await devhost.shutDown(name)
        #expect(try await diagnosis().isEmpty)
        try await libvirt.startDomain(name)
        try await expect("VM demo", "runs although", "fc-devhost shutdown demo", isMended: false)
    }

    @Test func anAutostartThatDoesNotFitTheRecord() async throws {
        try await devhost.ensure(try test.request("demo"))
        try await devhost.libvirt().setAutostart(name, false)
        try await expect("VM demo", "does not start with the host", isMended: true)
        try await devhost.shutDown(name)
        try await devhost.libvirt().setAutostart(name, true)
        try await expect("VM demo", "starts with the host", isMended: true)
    }

    @Test func aDiskThatIsGone() async throws {
        try await devhost.ensure(try test.request("demo"))
        let pool = HostPreparation.diskPool(test.configuration.network)
        try await devhost.libvirt().deleteVolume(pool: pool, name: "demo.qcow2")
        try await expect("VM demo", "demo.qcow2", "missing", isMended: false)
    }

    @Test func namesThatAreGoneAndNamesThatStayed() async throws {
        try await devhost.ensure(try test.request("demo"))
        try test.setHosts("127.0.0.1 localhost\n")
        try await expect("VM demo", "on the devhost", isMended: true)
        #expect(try test.hosts().contains("127.0.0.1 localhost\n"))
        let block = try test.hosts().replacing(" demo\n", with: " demo\n10.12.0.99 gone\n")
        try test.setHosts(block)
        try await expect("name gone", "still resolves", isMended: true)
        #expect(try test.hosts().contains("10.12.0.2 demo\n"))
    }

    @Test func addressesThatTwoVMsShare() async throws {
        let one = try await devhost.ensure(try test.request("demo")).record
        let two = try await devhost.ensure(try test.request("other")).record
        var copy = two
        copy.id = one.id
        try devhost.records.save(copy)
        try await expect("demo, other", "share the id", isMended: false)
    }

    @Test func whatBelongsToNoVM() async throws {
        try await devhost.ensure(try test.request("demo"))
        try devhost.records.remove(name)
        let all = try await diagnosis()
        #expect(all.map(\.subject).sorted() == ["VM demo", "published names"], "\(all)")
        let found = all.filter { $0.subject == "VM demo" }
        #expect(found.first?.mending == .byHand, "a disk is nobody's to throw away: \(found)")
        #expect(found.first?.problem.contains("a domain that is running") == true)
        #expect(found.first?.problem.contains("demo.qcow2") == true)
        #expect(found.first?.remedy == "fc-devhost destroy demo")
        try await devhost.destroy(name)
        #expect(try await diagnosis().isEmpty)
    }

    @Test func aVMThatIsMadeAfterTheLookIsNotMendedAway() async throws {
        let libvirt = try await devhost.libvirt()
        try await HostPreparation(devhost: devhost, libvirt: libvirt).prepare()
        try await VMParts(devhost: devhost, libvirt: libvirt, name: name).makeFirstBoot([1])
        let survey = try await DoctorSurvey(devhost: devhost, libvirt: libvirt)
        let symptoms = try VMChecks(devhost: devhost, libvirt: libvirt, survey: survey).orphans()
        let symptom = try #require(symptoms.first { $0.finding.problem.contains("first-boot data") })
        try await libvirt.deleteVolume(
            pool: HostPreparation.firstBootPool(test.configuration.network), name: "\(name).conf")
        try await devhost.ensure(try test.request("demo"))
        #expect(await symptom.mended().mending == .done)
        #expect(try await devhost.describe(name).state == .running)
        #expect(try await diagnosis().isEmpty)
    }

    @Test func anImageBelowADiskThatIsGone() async throws {
        let hash = try #require(try await devhost.ensure(try test.request("demo")).record.imageHash)
        let pool = HostPreparation.imagePool(test.configuration.network)
        try await devhost.libvirt().deleteVolume(pool: pool, name: "\(hash).qcow2")
        try await expect("image \(hash)", "missing below the disk of demo", isMended: false)
    }

    @Test func publishedNamesThatAreGoneAndOnesThatNoVMHas() async throws {
        var request = try test.request("demo")
        request.aliases = [try Alias("app")]
        try await devhost.ensure(request)
        try devhost.nameFolder.withdraw("app.demo.localhost")
        try await expect("VM demo", "not published: app.demo.localhost", isMended: true)
        let stray = PublishedName(host: "app.gone.localhost", access: .open, target: .page)
        try devhost.nameFolder.publish(stray)
        try await expect("published names", "app.gone.localhost", isMended: true)
        #expect(try devhost.nameFolder.hosts() == ["app.demo.localhost", "demo.localhost", "localhost"])
    }

    @Test func downloadsThatNobodyWorksOn() async throws {
        try await devhost.ensure(try test.request("demo"))
        let path = "\(test.configuration.layout.downloads)/\(String(repeating: "a", count: 64)).download"
        try Files.write(path, [1, 2, 3], mode: 0o600)
        let found = try await devhost.diagnose(mending: true).findings
        #expect(found.contains { $0.problem.contains("half-made") && $0.mending == .done }, "\(found)")
        #expect(!Files.exists(path))
    }

    @Test func aVMThatAnotherCommandWorksOnIsLeftOut() async throws {
        try await devhost.ensure(try test.request("demo"))
        try await devhost.libvirt().killDomain(name)
        let lock = try await devhost.lock(name, verb: "restart", progress: { _ in })
        #expect(try await diagnosis().isEmpty)
        _ = consume lock
        #expect(try await diagnosis().count == 1)
    }

    @Test func filesThatOthersCanWriteTo() async throws {
        try await devhost.ensure(try test.request("demo"))
        let state = test.configuration.layout.state
        #expect(Files.status(state)?.isProtected == true)
        try Files.createDirectory("\(state)/_open", mode: 0o777)
        #expect(Files.status("\(state)/_open")?.isProtected == false)
    }
}
