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

    /// What batou knows, in its own order; it refuses an environment with another.
    private static let updateMethods = ["rsync", "rsync-ext", "hg-bundle", "hg-pull", "git-bundle", "git-pull"]
    private static let method = "fc-nixos-dev-vm"
    /// What hosts have that name none.
    private static let defaultProvisioner = "default"

    private let document: INIDocument
    private(set) var problems: [String] = []
    private(set) var warnings: [ConfigurationWarning] = []

    init(_ document: INIDocument) { self.document = document }

    mutating func read() -> Content {
        var content = Content()
        if let section = document["environment"] {
            check(section, knows: ["service_user", "platform", "update_method"], kind: "environment")
            content.serviceUser = user(setting(section, "service_user"))
            content.platform = setting(section, "platform")?.value
            let method = setting(section, "update_method")
            content.updateMethod = method?.value
            if let method, !Self.updateMethods.contains(method.value) {
                warn(
                    method.line,
                    "update_method \(method.value.quoted) is none that batou takes; it has "
                        + Self.updateMethods.joined(separator: ", "))
            }
        }
        let used = Set(
            document.sections.filter { $0.name.hasPrefix("host:") }.map { setting($0, "provisioner")?.value ?? "" }
                .map { $0.isEmpty ? Self.defaultProvisioner : $0 })
        var provisioners: [String: VMProvisioner] = [:]
        var failed: Set<String> = []
        for section in document.sections {
            guard let name = section.name.suffix(after: "provisioner:") else { continue }
            if let method = setting(section, "method"), method.value != Self.method, !used.contains(name) {
                warn(method.line, "\(Self.refusal(ofMethod: method.value)); no host here uses it")
            } else if let provisioner = provisioner(name, section) {
                provisioners[name] = provisioner
            } else {
                failed.insert(name)
            }
        }
        for section in document.sections {
            if let name = section.name.suffix(after: "host:") {
                if let host = host(name, section, provisioners, failed, content) { content.hosts.append(host) }
            } else if let name = section.name.suffix(after: "component:") {
                addSettings(of: name, section, to: &content)
            } else if !section.name.hasPrefix("provisioner:"),
                !["environment", "hosts", "vfs", "resolver"].contains(section.name)
            {
                warn(section.line, "section [\(section.name.printable)] means nothing")
            }
        }
        return content
    }

    private mutating func addSettings(of component: String, _ section: INIDocument.Section, to content: inout Content) {
        var lines: [String: Int] = [:]
        for entry in section.entries {
            let setting = ComponentSetting(component: component, attribute: entry.key, value: entry.value)
            if let line = lines.updateValue(entry.line, forKey: setting.variable) {
                warn(entry.line, "\(entry.key.quoted) takes the place of line \(line): both are \(setting.variable)")
            }
            content.overrides.append(setting)
        }
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
        if let method = setting(section, "method") {
            if method.value != Self.method { fail(method.line, Self.refusal(ofMethod: method.value)) }
        } else {
            fail(section.line, "[\(section.name.printable)] has no method; write method = \(Self.method)")
        }
        let devhost = setting(section, "host")
        if let devhost {
            do throws(DevhostError) {
                _ = try SSHDestination(devhost.value)
            } catch { fail(devhost.line, error.description) }
        } else {
            fail(section.line, "[\(section.name.printable)] has no host; write host = and the devhost's name")
        }
        let source = source(section)
        let memory = value(setting(section, "memory")) { text throws(DevhostError) in try MemorySize(text) }
        let cpus = value(setting(section, "cores")) { text throws(DevhostError) in try CPUCount(text) }
        let diskSize = value(setting(section, "disk_size")) { text throws(DevhostError) in try DiskSize(text) }
        let updates = boolean(setting(section, "update_channel")) ?? true
        guard problems.count == before, let source, let devhost else { return nil }
        return VMProvisioner(
            name: name, devhost: devhost.value, source: source, memory: memory, cpus: cpus, diskSize: diskSize,
            updatesChannel: updates)
    }

    private static func refusal(ofMethod text: String) -> String {
        if text == "fc-nixos-dev-container" {
            return "method 'fc-nixos-dev-container' is no more: VMs took the place of containers; write "
                + "method = \(method), with release =, memory = and cores ="
        }
        return "method \(text.quoted) is not \(method), the only one there is"
    }

    /// `release`, alone or with the `channel` it belongs to; a channel alone means its latest release; or `hydra-eval`.
    private mutating func source(_ section: INIDocument.Section) -> VMProvisioner.Source? {
        let release = setting(section, "release").flatMap { $0.value.isEmpty ? nil : $0 }
        if let entry = setting(section, "hydra-eval"), release == nil {
            return value(entry) { text throws(DevhostError) in
                _ = try ReleaseReference(hydraEvaluation: text)
                return .hydra(text)
            }
        }
        let channel = setting(section, "channel")
        if let release {
            return value(release) { text throws(DevhostError) in
                if let channel, !text.contains("://") {
                    return .release(.catalog(try Self.channel(channel.value), try ReleaseName(text)))
                }
                return .release(try ReleaseReference(text))
            }
        }
        if let channel {
            return value(channel) { text throws(DevhostError) in .release(.catalog(try Self.channel(text), nil)) }
        }
        fail(section.line, "[\(section.name.printable)] says no release; write release =, channel = or hydra-eval =")
        return nil
    }

    /// - Throws: `invalidArgument` that quotes what stands in the file.
    private static func channel(_ text: String) throws(DevhostError) -> ChannelName {
        guard text.contains("://") else { return try ChannelName(text) }
        throw DevhostError(
            .invalidArgument, "\(text.quoted) is an address, not the name of a channel",
            next: "write release = and the address of a release, or channel = and a name such as fc-23.11-production")
    }

    private mutating func host(
        _ name: String, _ section: INIDocument.Section, _ provisioners: [String: VMProvisioner],
        _ failed: Set<String>, _ content: Content
    ) -> EnvironmentHost? {
        check(
            section, knows: ["provision-dynamic-hostname", "provision-aliases", "provisioner", "service_user"],
            kind: "host", prefix: "data-")
        let isDynamic = boolean(setting(section, "provision-dynamic-hostname")) ?? false
        let aliases = aliases(setting(section, "provision-aliases"))
        let serviceUser = user(setting(section, "service_user")) ?? content.serviceUser
        let named = setting(section, "provisioner").flatMap { $0.value.isEmpty ? nil : $0 }
        let wanted = named?.value ?? Self.defaultProvisioner
        if wanted == "none" { return nil }
        guard let provisioner = provisioners[wanted] else {
            if let named, !failed.contains(wanted) {
                fail(named.line, "there is no [provisioner:\(wanted.printable)]")
            }
            return nil
        }
        if !isDynamic {
            do throws(DevhostError) { _ = try VMName(name) } catch {
                let label = DNSLabel.nearest(to: name).map { DNSLabel.isAllDigits($0) ? "vm-\($0)" : $0 }
                fail(
                    section.line,
                    "\(error)" + (label.map { ", for instance \($0)" } ?? "")
                        + "; or write provision-dynamic-hostname = True")
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
            name: name, isDynamic: isDynamic, aliases: aliases, serviceUser: serviceUser,
            provisioner: provisioner)
    }

    // MARK: Entries

    private mutating func check(
        _ section: INIDocument.Section, knows keys: Set<String>, kind: String, prefix: String? = nil
    ) {
        let known = keys.union(Self.foreign[kind] ?? [])
        // What [DEFAULT] gives to all sections need not mean something in each.
        for entry in section.entries where !known.contains(entry.key) && !entry.isInherited {
            if let prefix, entry.key.hasPrefix(prefix) { continue }
            let meant = known.contains(entry.key.lowercased()) ? "; write \(entry.key.lowercased())" : ""
            warn(entry.line, "\(entry.key.quoted) means nothing in [\(section.name.printable)]\(meant)")
        }
    }

    /// A setting that is one word or a list: blanks and newlines before it mean nothing.
    private func setting(_ section: INIDocument.Section, _ key: String) -> INIDocument.Entry? {
        section[key].map { INIDocument.Entry(key: $0.key, value: $0.value.trimmed, line: $0.line) }
    }

    private mutating func aliases(_ entry: INIDocument.Entry?) -> [Alias] {
        guard let entry else { return [] }
        var aliases: [Alias] = []
        var known: Set<Alias> = []
        for word in entry.value.split(whereSeparator: \.isWhitespace).map(String.init) {
            do throws(DevhostError) {
                let alias = try Alias(word)
                if known.insert(alias).inserted { aliases.append(alias) }
            } catch {
                let label = DNSLabel.nearest(to: word).map { ", for instance \($0)" } ?? ""
                fail(entry.line, "\(entry.key): \(error)\(label)")
            }
        }
        return aliases
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
