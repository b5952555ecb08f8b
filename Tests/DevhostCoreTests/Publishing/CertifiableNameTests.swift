import Testing

@testable import DevhostCore

/// Names that certificate authorities refuse.
@Suite struct CertifiableNameTests {
    private func publish(_ settings: String) throws -> Configuration {
        try Configuration(text: "[publish]\n\(settings)\n", source: "devhost.cfg")
    }

    @Test(arguments: [
        ("ab--cd", false), ("xn--caf-dma", true), ("xn--mnchen-3ya", true), ("xn--bcher-kva", true), ("xn--p1ai", true),
        ("xn--fiqs8s", true), ("xn--", false), ("xn--99999999", false),

        ("xn---a", false), ("a--b", true), ("abc--d", true), ("ab-cd", true), ("a", true), ("1a2b--3c", true),
        ("00--0000", false),
    ]) func twoHyphensInThirdAndFourthPlaceAreForPunycode(_ label: String, _ isFine: Bool) {
        #expect((CertifiableName.problem(withLabel: Substring(label)) == nil) == isFine, "\(label)")
    }

    private func record(
        _ configuration: Configuration, _ name: String, _ aliases: String, existing: VMRecord? = nil
    ) throws -> VMRecord {
        var request = EnsureRequest(name: try VMName(name))
        request.aliases = try Alias.parseList(aliases)
        return try EnsurePlan(
            request: request, existing: existing, configuration: configuration,
            caller: Caller(userID: 1000, name: "alice", isElevated: true), now: Timestamp(RealClock().now),
            isNew: existing == nil
        ).record()
    }

    @Test func whereACMECertifiesEnsureRefusesThemBeforeAnythingIsMade() async throws {
        let acme = try publish("public-address = dev.example.com")
        for (name, aliases, wrong) in [
            ("ab--cd", "", "ab--cd.dev.example.com"), ("demo", "app ab--cd", "ab--cd.demo.dev.example.com"),
            ("demo", "xn--99999999", "xn--99999999.demo.dev.example.com"),
        ] {
            await expectError(.invalidArgument, containing: "\(wrong) would get no certificate") {
                try record(acme, name, aliases)
            }
        }
        #expect(try record(acme, "demo", "app xn--caf-dma a--b").aliases.count == 3)
        // A VM that has one keeps it, and gets no other.
        var existing = VMRecord(name: try VMName("demo"))
        existing.aliases = try Alias.parseList("ef--gh")
        #expect(try record(acme, "demo", "ef--gh app", existing: existing).aliases.count == 2)
        await expectError(.invalidArgument) { try record(acme, "demo", "ij--kl", existing: existing) }
        for settings in [
            "", "public-address = demo.localhost", "public-address = dev.example.com\nissuer = internal",
            "public-address = dev.example.com\nproxy = none",
        ] {
            #expect(try record(try publish(settings), "ab--cd", "ab--cd").aliases.count == 1)
        }
    }

    @Test func namesThatAreTooLongForLetsEncryptAreRefusedThere() throws {
        let label = String(repeating: "a", count: 63)
        let address = "\(label).\(label).example.com"
        let host = "\(label).\(String(repeating: "b", count: 30)).\(address)"
        #expect(host.utf8.count > 230)
        #expect(try publish("public-address = \(address)").publish.certificateProblem(of: host) != nil)
        let other = "public-address = \(address)\nacme-directory = https://ca.example.com/directory"
        #expect(try publish(other).publish.certificateProblem(of: host) == nil)
    }

    @Test func doctorTellsOfThoseThatExist() async throws {
        let test = try TestDevhost()
        try await test.devhost().ensure(try test.request("ab--cd"))
        var configuration = test.configuration
        configuration.publish.address = "dev.example.invalid"
        configuration.publish.proxy = .caddy
        let devhost = Devhost(
            configuration: configuration, caller: test.devhost().caller, clock: RealClock(), probe: AnsweringProbe(),
            libvirt: test.devhost().libvirt)
        let found = try await devhost.diagnose().findings.filter {
            $0.subject == "certificate of ab--cd.dev.example.invalid"
        }
        #expect(found.map(\.severity) == [.warning] && found[0].problem.contains("third and fourth place"), "\(found)")
        #expect(try await test.devhost().diagnose().findings.allSatisfy { !$0.subject.contains("ab--cd") })
    }
}
