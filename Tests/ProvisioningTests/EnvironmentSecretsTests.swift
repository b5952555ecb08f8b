import DevhostBase
import Foundation
import Testing

@Suite("Secrets of environments")
struct EnvironmentSecretsTests {
    static let hasAge = (try? Processes.find("age")) != nil
    static let hasGPG = (try? Processes.find("gpg")) != nil

    private let text =
        "[batou]\nmembers = a, b\n[host:web]\ndata-x = 1\n[my-app]\npassword = canary-1\n[component:db]\nkey = one\n  two\n"

    private func check(_ secrets: EnvironmentSecrets) {
        #expect(
            secrets.settings.map { "\($0.variable)=\($0.value)" } == [
                "COMPONENT_MY_APP_PASSWORD=canary-1", "COMPONENT_DB_KEY=one\ntwo",
            ])
    }

    private func folder() throws -> String { try TestGuest.temporaryFolder() }

    @Test("Clear text is read; without a file there are none; with two that are encrypted it is a conflict")
    func clear() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try await EnvironmentSecrets.load(folder: folder, environment: [:]).settings.isEmpty)
        try Files.writeAtomically(folder + "/secrets.cfg", Array(text.utf8), mode: 0o600)
        check(try await EnvironmentSecrets.load(folder: folder, environment: [:]))
        try Files.writeAtomically(folder + "/secrets.cfg.gpg", [], mode: 0o600)
        try Files.writeAtomically(folder + "/secrets.cfg.age", [], mode: 0o600)
        await #expect { try await EnvironmentSecrets.load(folder: folder, environment: [:]) } throws: {
            ($0 as? DevhostError)?.code == .conflict
        }
    }

    @Test("Secrets are what batou has of them: a comment within a value is a part of it, keys are in lower case")
    func asBatou() throws {
        let secrets = try EnvironmentSecrets(
            "[app] # of the app\nKey =\n  one\n# two\n  # three\n  four\n\n\tfive\n# six\n", source: "secrets.cfg")
        #expect(secrets.settings.map(\.attribute) == ["key"])
        #expect(secrets.settings.map(\.value) == ["\none\n# two\n# three\nfour\n\n\tfive"])
    }

    @Test("What cannot be read is refused without a word of it")
    func broken() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Files.writeAtomically(folder + "/secrets.cfg", Array("[a]\nk = canary".utf8) + [0xff], mode: 0o600)
        await #expect { try await EnvironmentSecrets.load(folder: folder, environment: [:]) } throws: {
            "\($0)".contains("is not UTF-8") && !"\($0)".contains("canary")
        }
        #expect { _ = try EnvironmentSecrets("canary-2 without a section", source: "secrets.cfg") } throws: {
            !"\($0)".contains("canary")
        }
    }

    @Test("age decrypts with the identities that batou's variable names", .enabled(if: hasAge, "age is not installed"))
    func age() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Files.writeAtomically(folder + "/clear", Array(text.utf8), mode: 0o600)
        try TestGuest.shell(
            "cd \(folder) && age-keygen -o id 2>/dev/null && age-keygen -o other 2>/dev/null && age -r $(age-keygen -y id) -o secrets.cfg.age clear"
        )
        var environment = ["PATH": Command.searchPath, "HOME": folder, "BATOU_AGE_IDENTITIES": "\(folder)/none, ~/id"]
        check(try await EnvironmentSecrets.load(folder: folder, environment: environment))
        environment["BATOU_AGE_IDENTITIES"] = "\(folder)/other"
        await #expect { try await EnvironmentSecrets.load(folder: folder, environment: environment) } throws: {
            ($0 as? DevhostError)?.code == .permissionDenied
        }
        environment["BATOU_AGE_IDENTITIES"] = nil
        await #expect { try await EnvironmentSecrets.load(folder: folder, environment: environment) } throws: {
            "\($0)".contains("no age identity")
        }
    }

    @Test("gpg decrypts", .enabled(if: hasGPG, "gpg is not installed"))
    func gpg() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Files.writeAtomically(folder + "/clear", Array(text.utf8), mode: 0o600)
        try TestGuest.shell(
            """
            export GNUPGHOME=\(folder)/gnupg; mkdir -m 700 $GNUPGHOME
            gpg --batch --quiet --passphrase '' --quick-generate-key test@example.org default default never
            gpg --batch --quiet --trust-model always -r test@example.org -o \(folder)/secrets.cfg.gpg -e \(folder)/clear
            """)
        let environment = ["PATH": Command.searchPath, "HOME": folder, "GNUPGHOME": "\(folder)/gnupg"]
        check(try await EnvironmentSecrets.load(folder: folder, environment: environment, mayAsk: false))
        try Files.writeAtomically(folder + "/secrets.cfg", Array("[my-app]\npassword = stray\n".utf8), mode: 0o600)
        let secrets = try await EnvironmentSecrets.load(folder: folder, environment: environment, mayAsk: false)
        check(secrets)
        #expect(secrets.warnings == ["secrets.cfg is passed over: the secrets are those of secrets.cfg.gpg"])
        try TestGuest.shell("GNUPGHOME=\(folder)/gnupg gpgconf --kill gpg-agent")
    }
}
