/// An ssh key pair made by ssh-keygen.
struct SSHKeyPair: Sendable {
    /// The file of the private key as ssh-keygen wrote it.
    let privateKey: [UInt8]
    /// Type and key, without a comment.
    let publicKey: String

    /// The key pair in a file, made if it is not there. The private key is written under another name first: a crash
    /// leaves no half of a pair, and a loss of power no empty file. A public half that is missing or damaged is derived
    /// from the private one.
    /// - Throws: `damaged` for a private key that cannot be used: nothing replaces it, as guests know its other half.
    static func ensure(_ path: String, comment: String) async throws -> SSHKeyPair {
        if let pair = try load(path) { return pair }
        if Files.exists(path) {
            let derived = try await Processes.run(Command("ssh-keygen", ["-y", "-P", "", "-f", path]))
            guard derived.status == 0, publicKey(in: derived.text) != nil else {
                throw damaged(path, derived.errorText.trimmed.printable)
            }
            try Files.writeAtomically(path + ".pub", derived.output, mode: 0o644)
        } else {
            let temporary = path + ".new"
            try Files.remove(temporary)
            try Files.remove(temporary + ".pub")
            try await Processes.require(
                Command("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", temporary]))
            for half in [".pub", ""] {
                try Files.synchronize(temporary + half)
                try Files.rename(temporary + half, to: path + half)
                try Files.synchronize(Files.directory(of: path))
            }
        }
        guard let pair = try load(path) else { throw damaged(path, "ssh-keygen gave no public key") }
        return pair
    }

    /// The key pair in a file; nil where either half is missing or the public one damaged, which ``ensure(_:comment:)``
    /// puts right.
    /// - Throws: `damaged` for a private key that is none.
    static func load(_ path: String) throws -> SSHKeyPair? {
        guard Files.exists(path) else { return nil }
        let privateKey = try Files.read(path, limit: 16384)
        let text = String(decoding: privateKey, as: UTF8.self)
        guard text.hasPrefix("-----BEGIN "), text.trimmed.hasSuffix("-----") else {
            throw damaged(path, "it is not a private key")
        }
        guard Files.exists(path + ".pub"),
            let publicKey = publicKey(in: try Files.readText(path + ".pub", limit: 16384))
        else { return nil }
        return SSHKeyPair(privateKey: privateKey, publicKey: publicKey)
    }

    /// Type and key of a line that a public key's file holds; nil for anything else.
    private static func publicKey(in text: String) -> String? {
        let words = text.trimmed.split(separator: " ")
        // Every key begins with the length of its type's name in four bytes, of which the first three are zero.
        guard words.count >= 2, words[1].hasPrefix("AAAA") else { return nil }
        return "\(words[0]) \(words[1])"
    }

    private static func damaged(_ path: String, _ reason: String) -> DevhostError {
        DevhostError(
            .damaged, "the key \(path) cannot be used: \(reason)",
            next:
                "bring it back from a backup; or move it and \(path).pub away, and a new one is made, which VMs that know "
                + "the old one take only when they are rebuilt")
    }
}
