/// How people log in without a key of their own in the VM: the devhost's key signs a key pair made for this one login.
///
/// The caller gets that pair and its certificate, never the devhost's key. The certificate names the VM, so another VM
/// refuses it, and it ends after a day.
struct LoginCertificate: Sendable {
    /// The principal that a VM's authorized_keys asks for.
    static func principal(_ name: VMName) -> String { "devhost:\(name)" }

    /// The lines with which a guest accepts the devhost itself, and certificates for this VM.
    static func authorizedKeys(bootstrapKey: SSHKeyPair, name: VMName) -> [String] {
        [
            "\(bootstrapKey.publicKey) devhost",
            "cert-authority,principals=\"\(principal(name))\" \(bootstrapKey.publicKey) devhost-login",
        ]
    }

    /// Makes a key pair with a certificate in a folder: `key`, `key.pub`, `key-cert.pub`. The clock of a guest may be
    /// wrong by hours, hence a day before and after.
    static func issue(for name: VMName, authority: String, caller: String, in folder: String) async throws {
        try await Processes.require(
            Command("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", "\(folder)/key"]))
        try await Processes.require(
            Command(
                "ssh-keygen",
                [
                    "-q", "-s", authority, "-I", "login of \(caller) to \(name)", "-n", principal(name), "-V",
                    "-1d:+1d",
                    "\(folder)/key.pub",
                ]))
    }
}
