/// What an environment's environment.cfg says: which VMs there are, where they come from, and what the scripts find in
/// their variables. The file is shared with the deployment tool batou, whose other settings are known and left alone.
public struct EnvironmentConfiguration: Sendable {
    /// The environment's name: that of its folder.
    public let name: String
    /// The environment's folder.
    public let folder: String
    /// The user to whom files below its home belong; nil where none is named.
    public let serviceUser: String?
    /// The platform that the hosts run.
    public let platform: String?
    /// How the deployment tool brings its code to the hosts; nothing here depends on it.
    public let updateMethod: String?
    /// The hosts that are VMs of a devhost, in the order of the file.
    public let hosts: [EnvironmentHost]
    /// The settings of components, by component and attribute, in the order of the file.
    public let overrides: [ComponentSetting]
    /// What is odd in the file but does not make it wrong.
    public let warnings: [ConfigurationWarning]

    /// The folder in which `environments/` stands: what all environments of a project share lies here.
    public var projectFolder: String {
        let parent = Files.directory(of: folder)
        return parent.split(separator: "/").last == "environments" ? Files.directory(of: parent) : parent
    }

    /// The ssh configuration that is written for the environment.
    public var sshConfigurationPath: String { "\(projectFolder)/ssh_config_\(name)" }
    /// The script that prepares the VMs.
    public var scriptPath: String { "\(folder)/provision.sh" }
    /// What the VMs' system is to be like beside the platform.
    public var nixPath: String { "\(folder)/provision.nix" }

    /// Reads an environment.
    /// - Parameter folder: The environment's folder as an absolute path.
    /// - Throws: `notFound` where there is none, `refused` for one of more than 1 MiB, `invalidConfiguration` that names
    ///   everything that is wrong, each with its line.
    public init(folder: String) throws(DevhostError) {
        let path = "\(folder)/environment.cfg"
        let content: [UInt8]
        do {
            content = try Files.read(path, limit: 1 << 20)
        } catch let error as DevhostError where error.code != .notFound {
            throw error
        } catch {
            throw DevhostError(
                .notFound, "\(folder.quoted) is no environment: it has no environment.cfg",
                next: "name a folder such as environments/dev")
        }
        try self.init(try String(settings: content, source: path), folder: folder)
    }

    /// Parses an environment.cfg.
    public init(_ text: String, folder: String) throws(DevhostError) {
        var reader = EnvironmentConfigurationReader(
            try INIDocument(text, source: "environment.cfg", dialect: .environment))
        let content = reader.read()
        guard reader.problems.isEmpty else {
            throw DevhostError(
                .invalidConfiguration, "environment.cfg: \(reader.problems.joined(separator: "; "))",
                next: "mend these lines of \(folder)/environment.cfg")
        }
        self.folder = folder
        name = ProvisionSession.name(of: folder)
        serviceUser = content.serviceUser
        platform = content.platform
        updateMethod = content.updateMethod
        hosts = content.hosts
        overrides = content.overrides
        warnings = reader.warnings
    }
}

/// One setting of a component.
public struct ComponentSetting: Sendable, Hashable {
    /// The component.
    public let component: String
    /// The setting's name: as it is written, in secrets in lower case.
    public let attribute: String
    /// Its value.
    public let value: String

    /// The variable that scripts find it in.
    public var variable: String { ScriptVariables.name(component: component, attribute: attribute) }
}

/// Something odd in a file of settings.
public struct ConfigurationWarning: Sendable, Hashable, CustomStringConvertible {
    /// The line, counted from 1.
    public let line: Int
    /// What is odd.
    public let message: String

    /// For instance `environment.cfg:3: …`.
    public var description: String { "environment.cfg:\(line): \(message)" }
}
