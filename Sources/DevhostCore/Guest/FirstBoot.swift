import FoundationEssentials

/// The first-boot data of a VM: lines of tmpfiles.d(5) that systemd takes from the credential `tmpfiles.extra`
/// (systemd 252 and newer). `f~` writes a file from base64 if it does not exist yet, so a later boot undoes nothing.
struct FirstBoot: Sendable {
    let guest: GuestData
    let hostKey: SSHKeyPair
    /// For a disk that another VM's was copied to: the machine-id of the new one. Everything that made it the other is
    /// written anew then, at every boot with these data, and ssh host keys of other kinds go.
    var newMachineID: String?

    func rendered() throws -> [UInt8] {
        let name = guest.record.name.description
        var lines = [
            "d /etc/nixos 0755 root root -",
            file(GuestData.encPath, "0644 root root", try GuestData.encode(guest.enc())),
            "d /home/developer/.ssh 0700 developer - -",
            file("/home/developer/.ssh/authorized_keys", "0600 developer -", Array(guest.authorizedKeysBlock.utf8)),
            "d /etc/ssh 0755 root root -",
            file("/etc/ssh/ssh_host_ed25519_key", "0600 root root", hostKey.privateKey),
            file("/etc/ssh/ssh_host_ed25519_key.pub", "0644 root root", Array("\(hostKey.publicKey)\n".utf8)),
            file("/etc/hostname", "0644 root root", Array("\(name)\n".utf8)),
        ]
        if let newMachineID {
            lines.append(file("/etc/machine-id", "0444 root root", Array("\(newMachineID)\n".utf8)))
            for kind in ["rsa", "ecdsa", "dsa"] {
                lines += ["r /etc/ssh/ssh_host_\(kind)_key", "r /etc/ssh/ssh_host_\(kind)_key.pub"]
            }
        }
        return Array(lines.joined(separator: "\n").utf8) + [UInt8(ascii: "\n")]
    }

    private func file(_ path: String, _ ownership: String, _ content: [UInt8]) -> String {
        "\(newMachineID == nil ? "f" : "f+")~ \(path) \(ownership) - \(Data(content).base64EncodedString())"
    }
}
