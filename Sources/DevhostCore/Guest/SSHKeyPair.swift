/// An ssh key pair made by ssh-keygen.
struct SSHKeyPair: Sendable {
    /// The file of the private key as ssh-keygen wrote it.
    let privateKey: [UInt8]
    /// Type and key, without a comment.
    let publicKey: String

    /// The key pair in a file, made if it is not there. The private key is written under another name first: a crash
    /// leaves no half of a pair.
    static func ensure(_ path: String, comment: String) async throws -> SSHKeyPair {
        if let pair = try load(path) { return pair }
        let temporary = path + ".new"
        try Files.remove(temporary)
        try Files.remove(temporary + ".pub")
        try await Processes.require(
            Command("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", temporary]))
        try Files.rename(temporary + ".pub", to: path + ".pub")
        try Files.rename(temporary, to: path)
        guard let pair = try load(path) else { throw DevhostError(.failed, "ssh-keygen made no key pair at \(path)") }
        return pair
    }

    /// The key pair in a file; nil where either half is missing.
    static func load(_ path: String) throws -> SSHKeyPair? {
        guard Files.exists(path), Files.exists(path + ".pub") else { return nil }
        let words = try Files.readText(path + ".pub", limit: 16384).split(separator: " ")
        guard words.count >= 2 else { throw DevhostError(.damaged, "\(path).pub is not a public key") }
        return SSHKeyPair(
            privateKey: try Files.read(path, limit: 16384), publicKey: "\(words[0]) \(words[1])".trimmed)
    }
}
