import DevhostBase
import Foundation
import Testing

@Suite("ssh_config of environments")
struct SSHConfigurationTests {
    private let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHh5eHl4eXh5eHl4eXh5eHl4eXh5eHl4eXh5eHl4eXh5"

    /// What ssh makes of the configuration for a host.
    private func settings(_ path: String, _ host: String) throws -> [String: [String]] {
        let text = try TestGuest.shell("ssh -G -F \(path.shellQuoted) \(host)")
        return Dictionary(grouping: text.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1) }) {
            String($0[0])
        }.mapValues { $0.map { $0.count > 1 ? String($0[1]) : "" } }
    }

    @Test("ssh itself reads the blocks as they are meant, and the user's own settings for other hosts only")
    func read() throws {
        let folder = try TestGuest.temporaryFolder() + "/with space"
        mkdir(folder, 0o700)
        defer { try? FileManager.default.removeItem(atPath: Files.directory(of: folder)) }
        try Files.writeAtomically(
            folder + "/own", Array("Host *\n  User me\n  IdentityFile /mine\nHost devhost\n  Port 2222\n".utf8),
            mode: 0o600)
        let keys = EnvironmentKeys(
            keyPath: folder + "/key_dev", knownHostsPath: folder + "/known_hosts_dev", publicKey: "")
        let file = SSHConfigurationFile(
            entries: [
                .init(
                    name: try VMName("ab12cd34"), hostName: "web", aliases: ["www"],
                    jump: try SSHDestination("devhost"), hostKey: key),
                .init(name: try VMName("here"), hostName: "here", aliases: ["www"], jump: nil, hostKey: nil),
            ], hostNames: ["web", "here"], keys: keys, included: [folder + "/own"], path: "/project/ssh_config_dev")
        let path = folder + "/ssh_config_dev"
        try Files.writeAtomically(path, Array(file.text.utf8), mode: 0o600)
        for name in ["ab12cd34", "web", "www"] {
            let settings = try settings(path, name)
            #expect(settings["hostname"] == ["ab12cd34"])
            #expect(settings["user"] == ["developer"])
            #expect(settings["proxyjump"] == ["devhost"])
            #expect(settings["identityfile"] == [folder + "/key_dev"])
            #expect(settings["identitiesonly"] == ["yes"])
            #expect(settings["stricthostkeychecking"] == ["true"])
            #expect(settings["userknownhostsfile"] == [folder + "/known_hosts_dev"])
            #expect(settings["hostkeyalias"] == ["ab12cd34"])
            #expect(settings["hostkeyalgorithms"] == ["ssh-ed25519"])
        }
        #expect(try settings(path, "here")["proxyjump"] == nil)
        let other = try settings(path, "devhost")
        #expect(other["user"] == ["me"] && other["port"] == ["2222"] && other["identityfile"] == ["/mine"])
        #expect(file.knownHosts == "ab12cd34 \(key)\n")
    }

    @Test("A host's own name means it, also where it is an alias of a host before it, and before its VM is there")
    func aliasesOfOthers() throws {
        let folder = try TestGuest.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let keys = EnvironmentKeys(keyPath: folder + "/key", knownHostsPath: folder + "/known", publicKey: "")
        let file = SSHConfigurationFile(
            entries: [
                .init(
                    name: try VMName("lb"), hostName: "lb", aliases: ["app", "db", "ab12cd34", "later", "www"],
                    jump: nil, hostKey: nil),
                .init(name: try VMName("app"), hostName: "app", aliases: ["www", "lb"], jump: nil, hostKey: nil),
                .init(name: try VMName("ab12cd34"), hostName: "db", aliases: [], jump: nil, hostKey: nil),
            ], hostNames: ["lb", "app", "db", "later"], keys: keys, included: [], path: "/project/ssh_config_dev")
        try Files.writeAtomically(folder + "/config", Array(file.text.utf8), mode: 0o600)
        let expected = [
            "lb": "lb", "app": "app", "db": "ab12cd34", "ab12cd34": "ab12cd34", "later": "later", "www": "lb",
        ]
        for (name, vm) in expected { #expect(try settings(folder + "/config", name)["hostname"] == [vm], "\(name)") }
    }

    @Test("A name that is also the devhost's goes on meaning the devhost")
    func devhostsName() throws {
        let folder = try TestGuest.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let keys = EnvironmentKeys(keyPath: folder + "/key", knownHostsPath: folder + "/known", publicKey: "")
        let file = SSHConfigurationFile(
            entries: [
                .init(
                    name: try VMName("ab12cd34"), hostName: "dev", aliases: ["www"],
                    jump: try SSHDestination("me@dev:22"), hostKey: key)
            ], hostNames: ["dev"], keys: keys, included: [], path: "/project/ssh_config_dev")
        try Files.writeAtomically(folder + "/config", Array(file.text.utf8), mode: 0o600)
        #expect(try settings(folder + "/config", "www")["proxyjump"] == ["me@dev:22"])
        #expect(try settings(folder + "/config", "dev")["proxyjump"] == nil)
    }
}
