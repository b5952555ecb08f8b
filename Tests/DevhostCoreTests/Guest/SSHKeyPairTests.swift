import Testing

@testable import DevhostBase
@testable import DevhostCore

/// Keys whose files a loss of power damaged.
@Suite struct SSHKeyPairTests {
    private let folder: TestFolder
    private var path: String { "\(folder.path)/key" }

    init() throws { folder = try TestFolder("keys") }

    @Test(arguments: [nil, "", "\0\0\0\0 \0\0", "no key"])
    func aDamagedPublicHalfIsDerivedFromThePrivateOne(damage: String?) async throws {
        let pair = try await SSHKeyPair.ensure(path, comment: "a comment")
        try Files.remove("\(path).pub")
        if let damage { try Files.write("\(path).pub", Array(damage.utf8), mode: 0o644) }
        let again = try await SSHKeyPair.ensure(path, comment: "a comment")
        #expect(again.publicKey == pair.publicKey && again.privateKey == pair.privateKey)
        #expect(try SSHKeyPair.load(path)?.publicKey == pair.publicKey)
    }

    @Test(arguments: ["", "\0\0\0\0", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"])
    func aDamagedPrivateKeyIsNeitherUsedNorReplacedAndTheErrorSaysWhatToDo(content: String) async throws {
        try Files.write(path, Array(content.utf8), mode: 0o600)
        let error = await expectError(.damaged, containing: path) {
            try await SSHKeyPair.ensure(path, comment: "a comment")
        }
        #expect(error?.nextStep?.contains("move it") == true)
        #expect(try Files.readText(path) == content)
    }
}
