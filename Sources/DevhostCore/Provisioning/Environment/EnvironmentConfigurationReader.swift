/// Turns the entries of an environment.cfg into values, and collects everything that is wrong with them.
struct EnvironmentConfigurationReader {
    /// What the file says.
    struct Content {
        var serviceUser: String?
        var platform: String?
        var updateMethod: String?
        var hosts: [EnvironmentHost] = []
        var overrides: [ComponentSetting] = []
    }

    /// The settings of the deployment tool that mean nothing here.
    private static let foreign: [String: Set<String>] = [
        "environment": [
            "require_sudo", "host_domain", "target_directory", "connect_method", "branch", "timeout",
            "repository_url", "repository_root", "jobs", "require_v4", "require_v6",
        ],
        "host": ["components", "ignore", "platform", "require_sudo"],
    ]

    private let document: INIDocument
    private(set) var problems: [String] = []
    private(set) var warnings: [ConfigurationWarning] = []

    init(_ document: INIDocument) { self.document = document }

    mutating func read() -> Content {
        var content = Content()
        if let section = document["environment"] {
            check(section, knows: ["service_user", "platform", "update_method"], kind: "environment")
            content.serviceUser = user(section["service_user"])
            content.platform = section["platform"]?.value
            content.updateMethod = section["update_method"]?.value
            if let entry = section["update_method"],
                !["rsync", "rsync-ext", "pull", "git-bundle", "hg-bundle", "hg-pull", "git-pull", "git-diff"].contains(
                    entry.value)
            {
                warn(entry.line, "\(entry.value.quoted) is no update method that is known here")
            }
        }
        var provisioners: [String: VMProvisioner] = [:]
        for section in document.sections {
            if let name = section.name.suffix(after: "provisioner:") {
                provisioners[name] = provisioner(name, section)
            }
        }
        let failed = Set(document.sections.compactMap { $0.name.suffix(after: "provisioner:") })
            .subtracting(provisioners.keys)
        for section in document.sections {
            if let name = section.name.suffix(after: "host:") {
                if let host = host(name, section, provisioners, failed, content) { content.hosts.append(host) }
            } else if let name = section.name.suffix(after: "component:") {
                content.overrides += section.entries.map {
                    ComponentSetting(component: name, attribute: $0.key, value: $0.value)
                }
            } else if !section.name.hasPrefix("provisioner:"),
                !["environment", "hosts", "vfs", "resolver"].contains(section.name)
            {
                warn(section.line, "section [\(section.name.printable)] means nothing")
            }
        }
        return content
    }

    // MARK: Sections

    private mutating func provisioner(_ name: String, _ section: INIDocument.Section) -> VMProvisioner? {
        let before = problems.count
        check(
            section,
            knows: [
                "method", "host", "release", "channel", "hydra-eval", "memory", "cores", "disk_size",
                "update_channel",
            ], kind: "provisioner")
        if let method = section["method"], method.value != "fc-nixos-dev-vm" {
            fail(method.line, "method \(method.value.quoted) is not fc-nixos-dev-vm, the only one there is")
        } else if section["method"] == nil {
            fail(section.line, "[\(section.name.printable)] has no method; write method = fc-nixos-dev-vm")
        }
        let devhost = section["host"]
        if let devhost {
            do throws(DevhostError) {
                _ = try SSHDestination(devhost.value)
            } catch { fail(devhost.line, error.description) }
        } else {
            fail(section.line, "[\(section.name.printable)] has no host; write host = and the devhost's name")
        }
        let source = source(section)
        let memory = value(section["memory"]) { text throws(DevhostError) in try MemorySize(text) }
        let cpus = value(section["cores"]) { text throws(DevhostError) in try CPUCount(text) }
        let diskSize = value(section["disk_size"]) { text throws(DevhostError) in try DiskSize(text) }
        let updates = boolean(section["update_channel"]) ?? true
        guard problems.count == before, let source, let devhost else { return nil }
        return VMProvisioner(
            name: name, devhost: devhost.value, source: source, memory: memory, cpus: cpus, diskSize: diskSize,
            updatesChannel: updates)
    }

    /// `release`, alone or with the `channel` it belongs to; a channel alone means its latest release; or `hydra-eval`.
    private mutating func source(_ section: INIDocument.Section) -> VMProvisioner.Source? {
        if let entry = section["hydra-eval"], section["release"] == nil {
            return value(entry) { text throws(DevhostError) in
                _ = try ReleaseReference(hydraEvaluation: text)
                return .hydra(text)
            }
        }
        let channel = section["channel"]?.value
        guard let entry = section["release"] ?? section["channel"] else {
            fail(
                section.line, "[\(section.name.printable)] says no release; write release =, channel = or hydra-eval =")
            return nil
        }
        return value(entry) { text throws(DevhostError) in
            if entry.key == "channel" { return .release(try ReleaseReference("fcrs://\(text)/")) }
            if let channel, !text.contains("://") {
                return .release(try ReleaseReference("fcrs://\(channel)/\(text)"))
            }
            return .release(try ReleaseReference(text))
        }
    }

    private mutating func host(
        _ name: String, _ section: INIDocument.Section, _ provisioners: [String: VMProvisioner],
        _ failed: Set<String>, _ content: Content
    ) -> EnvironmentHost? {
        check(
            section, knows: ["provision-dynamic-hostname", "provision-aliases", "provisioner", "service_user"],
            kind: "host", prefix: "data-")
        let isDynamic = boolean(section["provision-dynamic-hostname"]) ?? false
        let aliases = value(section["provision-aliases"]) { text throws(DevhostError) in
            try Alias.parseList(text.split(whereSeparator: \.isWhitespace).joined(separator: " "))
        }
        let serviceUser = user(section["service_user"]) ?? content.serviceUser
        let wanted = section["provisioner"]?.value ?? "default"
        if wanted == "none" { return nil }
        guard let provisioner = provisioners[wanted] else {
            if let entry = section["provisioner"], !failed.contains(wanted) {
                fail(entry.line, "there is no [provisioner:\(wanted.printable)]")
            }
            return nil
        }
        if !isDynamic {
            do throws(DevhostError) { _ = try VMName(name) } catch {
                fail(section.line, "\(error); or write provision-dynamic-hostname = True")
                return nil
            }
            if (try? SSHDestination(provisioner.devhost))?.host == name {
                fail(
                    section.line,
                    "\(name.quoted) is the devhost's name too; give the VM another, or write "
                        + "provision-dynamic-hostname = True")
                return nil
            }
        } else if (try? GuestTarget(host: name, configuration: nil)) == nil
            || name.contains(where: { "*?!,\"".contains($0) })
        {
            fail(section.line, "\(name.quoted) is not a host name")
            return nil
        }
        return EnvironmentHost(
            name: name, isDynamic: isDynamic, aliases: aliases ?? [], serviceUser: serviceUser,
            provisioner: provisioner)
    }

    // MARK: Entries

    private mutating func check(
        _ section: INIDocument.Section, knows keys: Set<String>, kind: String, prefix: String? = nil
    ) {
        let foreign = Self.foreign[kind] ?? []
        for entry in section.entries where !keys.contains(entry.key) && !foreign.contains(entry.key) {
            if let prefix, entry.key.hasPrefix(prefix) { continue }
            warn(entry.line, "\(entry.key.quoted) means nothing in [\(section.name.printable)]")
        }
    }

    private mutating func value<Value>(
        _ entry: INIDocument.Entry?, _ parse: (String) throws(DevhostError) -> Value
    ) -> Value? {
        guard let entry else { return nil }
        do throws(DevhostError) {
            return try parse(entry.value)
        } catch {
            fail(entry.line, "\(entry.key): \(error)")
            return nil
        }
    }

    /// As Python's configparser and literals have it.
    private mutating func boolean(_ entry: INIDocument.Entry?) -> Bool? {
        value(entry) { text throws(DevhostError) in
            switch text.lowercased() {
            case "true", "yes", "on", "1": return true
            case "false", "no", "off", "0": return false
            default: throw DevhostError(.invalidArgument, "\(text.quoted) is neither True nor False")
            }
        }
    }

    private mutating func user(_ entry: INIDocument.Entry?) -> String? {
        guard let entry, !entry.value.isEmpty else { return nil }
        return value(entry) { text throws(DevhostError) in
            guard text.utf8.allSatisfy({ Ascii.isName($0) || "-.".utf8.contains($0) }), !text.hasPrefix("-") else {
                throw DevhostError(.invalidArgument, "\(text.quoted) is not a user's name")
            }
            return text
        }
    }

    private mutating func fail(_ line: Int, _ message: String) { problems.append("line \(line): \(message)") }

    private mutating func warn(_ line: Int, _ message: String) {
        warnings.append(ConfigurationWarning(line: line, message: message))
    }
}

extension String {
    /// What follows a prefix; nil where it is missing.
    fileprivate func suffix(after prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)).trimmed : nil
    }
}
