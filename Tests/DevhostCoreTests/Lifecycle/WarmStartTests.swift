import Glibc
import Synchronization
import Testing

@testable import DevhostCore

/// Templates on libvirt's mock driver, which saves and restores domains and has no guests.
@Suite struct WarmStartTests {
    private let test: TestDevhost
    private let devhost: Devhost
    private let name: VMName
    private let shape: MachineShape

    init() throws {
        test = try TestDevhost()
        devhost = test.devhost()
        name = try VMName("demo")
        shape = try MachineShape("2x2G")
    }

    private func build() async throws -> Template {
        try await devhost.buildTemplate(of: .release(.image(test.image, channel: nil)), shape: shape)
    }

    private func expectHealth(at location: SourceLocation = #_sourceLocation) async throws {
        // Some tests move the clock, and nobody looks for signs of use meanwhile.
        let findings = try await devhost.diagnose().findings.filter {
            $0.severity > .note && $0.subject != "signs of use" || $0.subject.hasPrefix("template")
        }
        #expect(findings.isEmpty, "\(findings)", sourceLocation: location)
    }

    /// Changes what is noted of the one template.
    private func alter(_ change: (inout TemplateRecord) -> Void) throws {
        let key = try #require(try devhost.templateStore.keys().first)
        try devhost.templateStore.update(key, change)
    }

    /// Expects the next new VM to boot, with one warning that says this, and the template to be gone.
    private func expectCold(_ words: String, at location: SourceLocation = #_sourceLocation) async throws {
        let log = EventLog()
        let made = try await devhost.ensure(try test.request("demo"), progress: log.handler)
        #expect(made.state == .running && made.start == .cold, sourceLocation: location)
        let warnings = log.all.filter { if case .warning = $0 { true } else { false } }
        #expect(warnings.count == 1 && "\(warnings)".contains(words), "\(warnings)", sourceLocation: location)
        #expect(try await devhost.templates().isEmpty, sourceLocation: location)
        let files = try Files.names(in: devhost.layout.templates)
        #expect(files == ["demand.json"], "\(files)", sourceLocation: location)
        try await expectHealth(at: location)
    }

    @Test func soManyTemplatesAreMadeAtATimeAndOneForEachUser() async throws {
        let own = try await devhost.templatePlace()
        await expectError(.busy, containing: "alice is making a template already") { _ = try await build() }
        let bob = test.devhost(caller: Caller(userID: 1001, name: "bob", isElevated: true))
        let other = try await bob.templatePlace()
        let root = test.devhost(caller: Caller(userID: 0, name: "root", isElevated: false))
        let source = TemplateSource.release(.image(test.image, channel: nil))
        await expectError(.busy, containing: "as may be at a time (2)") {
            try await root.buildTemplate(of: source, shape: shape)
        }
        #expect(try devhost.templateStore.keys().isEmpty)
        withExtendedLifetime((own, other)) {}
    }

    @Test func aNewVMStartsFromTheTemplateOfItsImageAndShape() async throws {
        let template = try await build()
        #expect(template.cpus == shape.cpus && template.memory == shape.memory && template.uses == 0)
        try await expectHealth()
        let log = EventLog()
        let made = try await devhost.ensure(try test.request("demo"), progress: log.handler)
        #expect(made.start == .warm && made.state == .running && !made.record.isIncomplete)
        #expect(log.texts.contains("starting demo warm"), "\(log.texts)")
        #expect(try await test.disks(of: "demo", devhost) == [0: template.image], "its disk lies over the image alone")
        #expect(try await devhost.templates().map(\.uses) == [1])
        #expect(try await devhost.templates().first?.lastUse != nil)
        #expect(try await devhost.ensure(EnsureRequest(name: name)).start == nil, "it runs")
        #expect(try await devhost.restart(name).start == .cold, "only the first start is warm")
        #expect(try await devhost.rebuild(name).state == .running)
        try await expectHealth()
    }

    @Test func whatIsDefinedIsExactlyWhatAColdVMHas() async throws {
        _ = try await build()
        var request = try test.request("demo")
        try await devhost.ensure(request)
        let libvirt = try await devhost.libvirt()
        let warm = try await libvirt.domainMetadata(name, namespace: DomainDefinition.namespace)
        try await devhost.destroy(name)
        let id = try devhost.records.readable().count
        #expect(id == 0)
        request.bootsCold = true
        let cold = try await devhost.ensure(request)
        #expect(cold.start == .cold)
        // Another VM of this name has another id, hence another definition.
        #expect(try await libvirt.domainMetadata(name, namespace: DomainDefinition.namespace) != warm)
        let definition = try await devhost.definition(of: cold.record, libvirt) { _ in }
        #expect(
            try await libvirt.domainMetadata(name, namespace: DomainDefinition.namespace)?
                .contains(definition.digest().description) == true)
    }

    @Test func anotherShapeImageOrWishBootsCold() async throws {
        _ = try await build()
        var request = try test.request("other")
        request.memory = try MemorySize("1G")
        #expect(try await devhost.ensure(request).start == .cold)
        request = try test.request("third")
        request.release = .image(test.otherImage, channel: nil)
        #expect(try await devhost.ensure(request).start == .cold)
        request = try test.request("fourth")
        request.bootsCold = true
        #expect(try await devhost.ensure(request).start == .cold)
        var configuration = test.configuration
        configuration.warmStart.isEnabled = false
        let disabled = Devhost(
            configuration: configuration, caller: devhost.caller, clock: RealClock(), probe: AnsweringProbe(),
            libvirt: devhost.libvirt)
        #expect(try await disabled.ensure(try test.request("fifth")).start == .cold)
        await #expect(throws: DevhostError.self) {
            try await disabled.buildTemplate(of: .stored("00000000"), shape: shape)
        }
        #expect(try await devhost.templates().map(\.uses) == [0])
    }

    @Test func aTemplateOfAnotherHostIsRemovedAndTheVMBoots() async throws {
        _ = try await build()
        try alter { $0.host.hypervisor += 1 }
        #expect(try await devhost.templates().first?.problem == "it is of another version of QEMU")
        try await expectCold("it is of another version of QEMU")
    }

    @Test func aTemplateThatTheHostHasTooLittleMemoryForIsRemovedAndTheVMBoots() async throws {
        _ = try await build()
        let host = try await devhost.libvirt().node().memory
        let more = try MemorySize(mebibytes: Int(host >> 20) + 1)
        try alter { $0.memory = more }
        try await expectCold("of memory, and the host has")
    }

    @Test func aTruncatedTemplateIsRemovedAndTheVMBoots() async throws {
        let template = try await build()
        truncate(devhost.layout.templateMemory(template.name), 100)
        try await expectCold("its memory has 100 bytes")
    }

    @Test func anAlteredTemplateIsRemovedAndTheVMBoots() async throws {
        let template = try await build()
        let path = devhost.layout.templateMemory(template.name)
        var content = try Files.read(path)
        content[content.count - 2] ^= 1
        try Files.write(path, content, mode: 0o600)
        try await expectCold("its memory is not what was saved")
    }

    @Test func aFileThatIsNoSavedMemoryIsRemovedAndTheVMBoots() async throws {
        let template = try await build()
        let path = devhost.layout.templateMemory(template.name)
        let size = try Files.read(path).count
        try Files.write(path, [UInt8](repeating: 7, count: size), mode: 0o600)
        try await expectCold("cannot be used")
    }

    /// A guest that does not answer before it has been started anew.
    private final class LateProbe: GuestProbe {
        let answersNow: @Sendable () -> Bool
        init(_ answersNow: @escaping @Sendable () -> Bool) { self.answersNow = answersNow }
        func answers(_ address: IPv4Address, limit: Duration) async throws -> Bool { answersNow() }
    }

    @Test func aVMThatDoesNotAnswerIsThrownAwayAndBootsInTheSameCall() async throws {
        let template = try await build()
        var configuration = test.configuration
        configuration.warmStart.answerLimit = .zero
        let clock = WorldClock()
        for number in 1...WarmStart.mostFailures {
            clock.advance(hours: 1)
            let log = EventLog()
            let impatient = Devhost(
                configuration: configuration, caller: devhost.caller, clock: clock,
                probe: LateProbe { log.texts.contains("starting demo") }, libvirt: devhost.libvirt)
            let made = try await impatient.ensure(try test.request("demo"), progress: log.handler)
            #expect(made.start == .cold && made.state == .running && !made.record.isIncomplete)
            #expect(log.texts.contains { $0.contains("its warm start failed") })
            #expect(try await test.disks(of: "demo", devhost) == [0: template.image])
            #expect(try await devhost.templates().isEmpty == (number == WarmStart.mostFailures))
            try await expectHealth()
            try await devhost.destroy(name)
        }
    }

    @Test func templatesGoWithTheirImageAndTheLeastUsedOnesBeyondTheLimit() async throws {
        let first = try await build()
        let second = try await devhost.buildTemplate(
            of: .stored(String(first.image.description.prefix(12))), shape: try MachineShape("1x1G"))
        #expect(try await devhost.templates().count == 2)
        try await devhost.ensure(try test.request("demo"))
        #expect(Template.beyond(first.size, try await devhost.templates()).map(\.name) == [second.name])
        #expect(Template.beyond(0, try await devhost.templates()).map(\.name) == [second.name, first.name])
        #expect(Template.beyond(.max, try await devhost.templates()).isEmpty)
        var configuration = test.configuration
        configuration.warmStart.maximumDisk = first.size
        let small = Devhost(
            configuration: configuration, caller: devhost.caller, clock: RealClock(), probe: AnsweringProbe(),
            libvirt: devhost.libvirt)
        try await small.collectTemplates { _ in }
        #expect(try await devhost.templates().map(\.name) == [first.name])
        try await devhost.destroy(name)
        #expect(try await devhost.pruneImages(olderThanDays: 0).removed.map(\.sha256) == [first.image])
        #expect(try await devhost.templates().isEmpty, "a template keeps no image, and goes with it")
        #expect(try await devhost.removeTemplate(try TemplateName(try await build().name)))
        #expect(try await !devhost.removeTemplate(try TemplateName(first.name)))
        #expect(try await devhost.libvirt().volumeNames(pool: "devhost-templates").isEmpty)
    }

    /// Makes as many VMs as are often.
    private func makeOften(_ prefix: String, cpus: Int = 2) async throws {
        for number in 1...TemplateDemand.often {
            var request = try test.request("\(prefix)\(number)")
            request.cpus = try CPUCount(cpus)
            #expect(try await devhost.ensure(request).start == .cold)
        }
    }

    @Test func aShapeSeenOftenGetsATemplate() async throws {
        for number in 1...TemplateDemand.often {
            #expect(try await devhost.buildWantedTemplates().isEmpty)
            #expect(try await devhost.ensure(try test.request("vm\(number)")).start == .cold)
        }
        #expect(try await devhost.buildWantedTemplates().map(\.memory) == [shape.memory])
        #expect(try await devhost.buildWantedTemplates().isEmpty, "it is there")
        #expect(try await devhost.ensure(try test.request("demo")).start == .warm)
    }

    @Test func oneThatDoesNotComeUpWaitsForNewVMsAndKeepsNoOtherWaiting() async throws {
        struct NoBoot: EffectObserver {
            let domain: String
            func willPerform(_ effect: Effect) throws {
                guard effect.description == "virDomainCreateXML \(domain)" else { return }
                throw DevhostError(.guestFailed, "the template stopped while it booted")
            }
        }
        try await makeOften("a", cpus: 1)
        try await makeOften("b")
        let image = try #require(try devhost.records.find(try VMName("b1"))?.imageHash)
        let key = try TemplateRecord.key(image, shape)
        let log = EventLog()
        let built = try await Effects.$observer.withValue(NoBoot(domain: devhost.layout.templateDomain(key))) {
            try await devhost.buildWantedTemplates(progress: log.handler)
        }
        #expect(built.map(\.cpus.value) == [1])
        #expect("\(log.all)".contains("no template of 2x2048M is made: the template stopped while it booted"))
        #expect(try await devhost.buildWantedTemplates().isEmpty, "nobody made a VM since")
        try await makeOften("c")
        #expect(try await devhost.buildWantedTemplates().map(\.name) == [key])
    }

    @Test func templatesDoNotPushOneAnotherOutEveryHour() async throws {
        var configuration = test.configuration
        configuration.warmStart.maximumDisk = UInt64(shape.memory.mebibytes) << 20
        let small = Devhost(
            configuration: configuration, caller: devhost.caller, clock: RealClock(), probe: AnsweringProbe(),
            libvirt: devhost.libvirt)
        try await makeOften("a", cpus: 1)
        try await makeOften("b")
        let log = EventLog()
        #expect(try await small.buildWantedTemplates(progress: log.handler).map(\.cpus.value) == [2])
        #expect("\(log.all)".contains("no template of 1x2048M is made: max-disk"))
        #expect(try await small.buildWantedTemplates().isEmpty)
        #expect(try await small.templates().map(\.cpus.value) == [2])
    }

    @Test func whatACrashLeavesOfATemplateIsFoundAndTakenAway() async throws {
        for step in 0..<200 {
            let test = try TestDevhost()
            let devhost = test.devhost()
            let source = TemplateSource.release(.image(test.image, channel: nil))
            let observer = StepObserver(stopAt: step)
            do {
                try await Effects.$observer.withValue(observer) {
                    _ = try await devhost.buildTemplate(of: source, shape: shape)
                }
            } catch  where observer.hasStopped {}
            let isComplete = try await !devhost.templates().isEmpty
            #expect(try await devhost.ensure(try test.request("demo")).start == (isComplete ? .warm : .cold))
            _ = try await devhost.diagnose(mending: true)
            let findings = try await devhost.diagnose().findings.filter { $0.subject.hasPrefix("template") }
            #expect(findings.isEmpty, "step \(step): \(findings)")
            #expect(try await devhost.libvirt().activeDomains(prefix: "_template").isEmpty, "step \(step)")
            let made = try await devhost.buildTemplate(of: source, shape: shape)
            #expect(try await devhost.templates().map(\.name) == [made.name], "step \(step)")
            if !observer.hasStopped { return }
        }
        Issue.record("the building did not run through")
    }
}
