@testable import DevhostCore

/// Values that the golden files are made of; they never change.
enum GoldenSamples {
    static let blob = "AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
    static let hostKey = SSHKeyPair(
        privateKey: Array("-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n".utf8),
        publicKey: "ssh-ed25519 \(blob)")
    static let bootstrapKey = SSHKeyPair(privateKey: [], publicKey: "ssh-ed25519 \(blob)")

    static var date: Timestamp { get throws { try Timestamp("2026-03-01T10:20:30+00:00") } }
    static var later: Timestamp { get throws { try Timestamp("2026-03-02T11:21:31+00:00") } }

    /// A digest of one byte, again and again.
    static func digest(_ byte: UInt8) -> SHA256Digest { SHA256Digest(bytes: [UInt8](repeating: byte, count: 32)) }

    /// The record of a VM that is complete, as `ensure` writes it for most.
    static var record: VMRecord {
        get throws {
            var record = VMRecord(name: try VMName("demo"))
            let id = VMIdentifier(7)
            record.id = id
            record.cpus = try CPUCount(2)
            record.memory = try MemorySize("3G")
            record.diskSize = try DiskSize("20G")
            record.aliases = [try Alias("app"), try Alias("web")]
            record.location = try Location("dev")
            record.imageURL = "https://example.com/image.qcow2"
            record.channelURL = "https://example.com/channel.tar.xz"
            record.isOnline = true
            record.owner = "alice"
            record.creationDate = try date
            record.lastDeployDate = try later
            record.mac = MACAddress(id: id)
            record.ipv4 = try IPv4Address("10.12.0.8")
            record.ipv6 = try plan.ipv6(MACAddress(id: id))
            record.hostKey = hostKey.publicKey
            record.authorizedKeys = [try AuthorizedKey("ssh-ed25519 \(blob) alice@example.com")]
            record.imageHash = digest(0x1a)
            record.guestDigest = digest(0x2b)
            return record
        }
    }

    /// The record of a VM with every key that there is.
    static var fullRecord: VMRecord {
        get throws {
            var record = try record
            record.aliasPorts = [
                try Alias("web"): try AliasTarget("http:8080"), try Alias("app"): try AliasTarget("8443"),
            ]
            record.isPrivate = true
            record.hydraEval = .integer(123456)
            record.releaseReference = "fcrs://fc-23.11-production/2026_001"
            record.releaseName = "2026_001"
            record.diskNumber = 3
            record.otherDisk = 4
            record.cloneOf = try VMName("source")
            record.isIncomplete = true
            record.pin = .until(try later)
            record.trashed = try later
            record.unknown = ["rolling": .bool(true), "comment": .string("kept \"as it is\"/ü")]
            return record
        }
    }

    /// A devhost as it is without any settings.
    static var configuration: Configuration { get throws { try Configuration(text: "", source: "devhost.cfg") } }
    static var plan: AddressPlan { get throws { AddressPlan(network: try configuration.network) } }

    /// What a VM's guest is told.
    static func guest(_ record: VMRecord) throws -> GuestData {
        let configuration = try configuration
        return GuestData(
            record: record, network: configuration.network,
            gateway: AddressPlan(network: configuration.network).gateway,
            authorizedKeys: LoginCertificate.authorizedKeys(bootstrapKey: bootstrapKey, name: record.name)
                + record.authorizedKeys.map(\.description))
    }
}
