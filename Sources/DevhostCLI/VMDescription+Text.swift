import DevhostCommandLine
import DevhostCore

extension VMDescription {
    /// What people want to read when a verb has ended.
    var sentence: String {
        let addresses = [record.ipv4?.description, record.ipv6?.description].compactMap(\.self)
        let place = addresses.isEmpty ? "" : " at \(addresses.joined(separator: " and "))"
        let start = start.map { $0 == .warm ? ", started warm" : ", booted cold" } ?? ""
        return "\(record.name) is \(state?.rawValue ?? "on record")\(place)\(start)"
    }

    /// Everything, for people.
    /// - Parameter publish: Under what the VM is published.
    func text(_ publish: Configuration.Publish) -> String {
        TextTable.fields([
            ("name", record.name.description),
            ("state", state?.rawValue ?? "unknown: libvirt does not answer"),
            ("owner", record.owner),
            ("created", record.creationDate?.description),
            ("last deployed", record.lastDeployDate?.description),
            ("CPUs", record.cpus?.description),
            ("memory", record.memory.map { ByteText.size(UInt64($0.mebibytes) << 20) }),
            ("disk", record.diskSize?.description),
            ("disk in use", diskAllocation.map { ByteText.size($0) }),
            ("IPv4", record.ipv4?.description),
            ("IPv6", record.ipv6?.description),
            ("MAC", record.mac?.description),
            ("aliases", record.aliases.map(\.description).joined(separator: " ")),
            ("pinned", record.pin?.text),
            ("private", record.isPrivate.map { $0 ? "yes" : "no" }),
            ("published", urls(publish).joined(separator: " ")),
            ("location", record.location?.description),
            ("release", record.releaseName ?? release),
            ("channel", record.channelURL.map(Self.redacted)),
            ("image", record.imageURL.map(Self.redacted)),
            ("image SHA-256", record.imageHash?.description),
            ("host key", record.hostKey),
            ("authorized keys", record.authorizedKeys.isEmpty ? nil : "\(record.authorizedKeys.count)"),
            ("id", record.id?.description),
        ])
    }

    /// Where the VM and its aliases show.
    private func urls(_ publish: Configuration.Publish) -> [String] {
        let hosts = [publish.host(record.name)] + record.aliases.map { publish.host($0, record.name) }
        return hosts.map { "https://\($0)/" }
    }

    private var release: String? {
        record.releaseReference.flatMap { try? ReleaseReference($0).description }
    }

    /// A URL without what may be a secret in it.
    private static func redacted(_ text: String) -> String { (try? ResourceURL(text).redacted) ?? text }
}
