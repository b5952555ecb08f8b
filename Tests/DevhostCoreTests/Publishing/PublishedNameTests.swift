import Testing

@testable import DevhostCore

@Suite struct PublishedNameTests {
    let test: TestDevhost
    let devhost: Devhost

    init() throws {
        test = try TestDevhost()
        devhost = test.devhost()
    }

    /// What is published, as `host/file`.
    private func published() throws -> [String] {
        let folder = test.configuration.layout.publishedNames
        return try Files.names(in: folder).filter { $0 != "localhost" }.flatMap { host in
            try Files.names(in: "\(folder)/\(host)").map { "\(host)/\($0)" }
        }
    }

    private func ensure(_ name: String, aliases: String, ports: [String] = [], isPrivate: Bool? = nil) async throws {
        var request = try test.request(name)
        request.aliases = try Alias.parseList(aliases)
        request.aliasPorts = try ports.map { text in try AliasPort(text) }
        request.isPrivate = isPrivate
        try await devhost.ensure(request)
    }

    @Test func ensurePublishesTheVMAndItsAliasesAndDestroyWithdrawsThem() async throws {
        try await ensure("demo", aliases: "app api app")
        #expect(
            try published() == [
                "api.demo.localhost/open,https,10.12.0.2,443", "app.demo.localhost/open,https,10.12.0.2,443",
                "demo.localhost/open,https,10.12.0.2,443",
            ])
        try await ensure("demo", aliases: "api")
        #expect(try published().map { $0.prefix { $0 != "/" } } == ["api.demo.localhost", "demo.localhost"])
        try await devhost.destroy(VMName("demo"))
        #expect(try published().isEmpty)
    }

    @Test func anAliasMayBearTheNameOfAnotherVMAndEachVMKeepsItsOwn() async throws {
        try await ensure("demo", aliases: "app")
        try await ensure("app", aliases: "demo")
        #expect(
            try published().map { $0.prefix { $0 != "/" } } == [
                "app.demo.localhost", "app.localhost", "demo.app.localhost", "demo.localhost",
            ])
        try await devhost.destroy(VMName("app"))
        #expect(try published().map { $0.prefix { $0 != "/" } } == ["app.demo.localhost", "demo.localhost"])
    }

    @Test func portsStayUntilTheyAreChangedOrTheirAliasGoes() async throws {
        try await ensure("demo", aliases: "app api web", ports: ["app=8443", "api=http:8080"])
        let wanted = [
            "api.demo.localhost/open,http,10.12.0.2,8080", "app.demo.localhost/open,https,10.12.0.2,8443",
            "demo.localhost/open,https,10.12.0.2,443", "web.demo.localhost/open,https,10.12.0.2,443",
        ]
        #expect(try published() == wanted)
        try await devhost.ensure(EnsureRequest(name: VMName("demo")))
        #expect(try published() == wanted)
        try await ensure("demo", aliases: "api web", ports: ["api=443"])
        #expect(try devhost.records.require(VMName("demo")).aliasPorts.isEmpty)
        #expect(try published().allSatisfy { $0.hasSuffix("/open,https,10.12.0.2,443") })
        await expectError(.invalidArgument, containing: "no alias gone") {
            try await ensure("demo", aliases: "api", ports: ["gone=8443"])
        }
    }

    @Test func privateIsKeptAndCanBeTakenBack() async throws {
        try await ensure("demo", aliases: "app", isPrivate: true)
        #expect(try published().allSatisfy { $0.contains("/private,https,") })
        try await devhost.ensure(EnsureRequest(name: VMName("demo")))
        #expect(try published().allSatisfy { $0.contains("/private,https,") })
        try await ensure("demo", aliases: "app", isPrivate: false)
        #expect(try published().allSatisfy { $0.contains("/open,https,") })
    }

    @Test func aHundredAliasesAreFine() async throws {
        try await ensure("demo", aliases: (0..<100).map { "a\($0)" }.joined(separator: " "))
        #expect(try published().count == 101)
    }

    @Test func aNameThatDNSCannotHoldIsRefusedBeforeAnythingIsMade() async throws {
        let label = String(repeating: "a", count: 63)
        var request = try test.request(label)
        request.aliases = [try Alias(label)]
        let address = Array(repeating: label, count: 2).joined(separator: ".")
        var configuration = test.configuration
        configuration.publish.address = address + ".example"
        let error = #expect(throws: DevhostError.self) {
            try EnsurePlan(
                request: request, existing: nil, configuration: configuration,
                caller: Caller(userID: 0, name: "root", isElevated: false), now: Timestamp(RealClock().now), isNew: true
            ).record()
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test func publishFollowsTheRecordsAndNothingElse() async throws {
        try await ensure("demo", aliases: "app")
        let folder = NameFolder(path: test.configuration.layout.publishedNames)
        for host in ["old.example.com", "gone.localhost", "x.gone.localhost", "odd..localhost", "x.demo.localhost"] {
            try folder.publish(PublishedName(host: host, access: .open, target: .page))
        }
        try folder.withdraw("app.demo.localhost")
        let report = try await devhost.publish()
        #expect(report.names == ["app.demo.localhost", "demo.localhost", "localhost"])
        #expect(report.added == 1 && !report.changedProxy)
        #expect(try await devhost.publish().withdrawn == 0)
    }

    /// The devhost after a change of devhost.cfg.
    private func changed(_ change: (inout Configuration.Publish) throws -> Void) rethrows -> Devhost {
        var configuration = test.configuration
        try change(&configuration.publish)
        return Devhost(
            configuration: configuration, caller: devhost.caller, clock: RealClock(), probe: AnsweringProbe(),
            libvirt: devhost.libvirt)
    }

    @Test func theNextVerbPublishesAllVMsAsDevhostCfgSaysByThen() async throws {
        try await ensure("demo", aliases: "app")
        try await ensure("other", aliases: "")
        let hidden = changed { $0.isPrivate = true }
        let findings = try await hidden.diagnose().findings.filter { $0.severity > .note }
        #expect(findings.map(\.subject) == ["VM demo", "VM other"], "\(findings)")
        #expect(findings.allSatisfy { $0.problem.contains("published otherwise than") })
        try await hidden.ensure(EnsureRequest(name: VMName("other")))
        #expect(try published().count == 3)
        #expect(try published().allSatisfy { $0.contains("/private,https,") })

        // A VM that another verb holds is left to the verb after that.
        let moved = changed { $0.address = "moved.localhost" }
        try await withLock(on: "demo") {
            try await moved.ensure(EnsureRequest(name: VMName("other")))
            #expect(try moved.nameFolder.hosts() == ["moved.localhost", "other.moved.localhost"])
        }
        try await moved.ensure(EnsureRequest(name: VMName("other")))
        #expect(
            try moved.nameFolder.hosts() == [
                "app.demo.moved.localhost", "demo.moved.localhost", "moved.localhost", "other.moved.localhost",
            ])
    }

    private func withLock(on name: String, _ body: () async throws -> Void) async throws {
        let lock = try await devhost.lock(VMName(name), verb: "test") { _ in }
        defer { withExtendedLifetime(lock) {} }
        try await body()
    }

    @Test func theDoctorSeesTheSecondFileThatACrashLeavesInAName() async throws {
        try await ensure("demo", aliases: "app")
        let folder = "\(test.configuration.layout.publishedNames)/app.demo.localhost"
        try Files.createEmpty("\(folder)/private,https,10.12.0.9,443", mode: 0o644)
        let mended = try await devhost.diagnose(mending: true).findings.filter { $0.severity > .note }
        #expect(mended.map(\.problem).count == 1 && mended[0].problem.contains("otherwise"), "\(mended)")
        #expect(try Files.names(in: folder) == ["open,https,10.12.0.2,443"])
    }

    @Test func namesThatTheDevhostsOwnCertificateCoversNeedNoneOfTheAuthority() async throws {
        try await ensure("demo", aliases: "app api")
        let folder = test.folder.path
        let made = try await Processes.run(
            Command(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=own", "-addext", "subjectAltName=DNS:*.demo.dev.example.test",
                    "-keyout", "\(folder)/own.key", "-out", "\(folder)/own.pem",
                ]))
        try #require(made.status == 0, "\(made.errorText)")
        let files = Configuration.Publish.CertificateFiles(certificate: "\(folder)/own.pem", key: "\(folder)/own.key")
        func warnings(_ change: (inout Configuration.Publish) -> Void) async throws -> [String] {
            let devhost = changed {
                $0.address = "dev.example.test"
                $0.hasLandingPage = false
                change(&$0)
            }
            _ = try await devhost.publish()
            let events = EventLog()
            try devhost.warnOfCertificateLimit(progress: events.handler)
            return events.texts
        }
        #expect(try await warnings { $0.weeklyLimit = 3 }.first?.contains("3 published names have none") == true)
        #expect(
            try await warnings {
                $0.weeklyLimit = 3
                $0.certificate = files
            } == [])
        // Nobody renews the devhost's own certificate but who gave it to it.
        let found = try await changed { $0.certificate = files }.diagnose().findings
        #expect(found.contains { $0.subject == "certificate \(files.certificate)" && $0.severity == .warning })
    }

    @Test func theLandingPageTellsWhatIsThereAndNothingSecret() async throws {
        let page = "\(test.configuration.layout.landingPage)/index.html"
        try await ensure("demo", aliases: "app")
        try await ensure("hidden", aliases: "x", isPrivate: true)
        var html = try Files.readText(page)
        #expect(html.contains("https://app.demo.localhost/") && html.contains("alice") && html.contains(">on<"))
        #expect(!html.contains("hidden"), "everybody may see this page, and only the allowed what is private")
        #expect(!html.contains("<script") && html.contains("name=\"viewport\""))
        try await devhost.shutDown(VMName("demo"))
        html = try Files.readText(page)
        #expect(html.contains(">off<") && !html.contains(">on<"))
        try await devhost.destroy(VMName("demo"))
        #expect(try !Files.readText(page).contains("demo"))
    }

    @Test func whoOwnsAVMCannotPutHTMLOnThePage() throws {
        var record = VMRecord(name: try VMName("demo"))
        record.owner = "<script>alert(1)</script>\"&<\u{338}"
        let html = LandingPage(publish: test.configuration.publish, entries: [.init(record: record, state: nil)]).html
        #expect(
            html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;&lt;\u{338}") && !html.contains("<script"))
    }

    @Test(arguments: ["8443", "https:8443", "http:8080", "1", "65535"]) func portsOfVMs(_ text: String) throws {
        let target = try AliasTarget(text)
        #expect(try AliasTarget(target.description) == target)
    }

    @Test(arguments: [
        "", "0", "65536", "http:", ":80", "ftp:80", "http:80:80", "80 ", "-1", "+80", "٣", "127.0.0.1:80", "000080",
        "80\n",
    ]) func whatIsNoPort(_ text: String) {
        #expect(throws: DevhostError.self) { try AliasTarget(text) }
        #expect(throws: DevhostError.self) { try AliasPort("app=\(text)") }
    }

    @Test(arguments: ["", "app", "=80", "..=80", "a/b=80", "APP=80", "app==80"]) func whatIsNoAliasPort(_ text: String)
    {
        #expect(throws: DevhostError.self) { try AliasPort(text) }
    }

    @Test func passwordsAreHashedOrRefusedWithoutBeingTold() throws {
        let line = "alice:\(CaddyConfigurationTests.hash)"
        let file = try PasswordFile("# who\n\(line)\n\n", source: "passwords")
        #expect(file.entries.map(\.name) == ["alice"])
        for wrong in [
            "alice:secret", "alice", "alice:$apr1$x$y", ":\(CaddyConfigurationTests.hash)", "\(line)\n\(line)",
        ] {
            let error = #expect(throws: DevhostError.self) { try PasswordFile(wrong, source: "passwords") }
            #expect(error?.description.contains("secret") == false && error?.code == .invalidConfiguration)
        }
    }
}
