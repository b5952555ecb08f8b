/// The variables and secrets that the scripts of an environment work with.
struct EnvironmentVariables: Sendable {
    /// What is masked in all output.
    let secrets: Secrets
    private let components: [String: String]
    private let caller: [String: String]

    /// - Parameter caller: The environment of this process; what it says about components holds.
    init(_ configuration: EnvironmentConfiguration, secrets: EnvironmentSecrets, caller: [String: String]) {
        self.caller = caller
        var components: [String: String] = [:]
        for setting in configuration.overrides + secrets.settings { components[setting.variable] = setting.value }
        self.components = components
        let long = (Array(components.values) + caller.filter { $0.key.hasPrefix("COMPONENT_") }.map(\.value))
            .filter { $0.utf8.count >= ScriptVariables.secretLength }
        self.secrets = Secrets(secrets.settings.map(\.value) + long)
    }

    /// What the script of a host finds.
    func environment(
        _ host: EnvironmentHost, vm: String, channel: String?, image: String?, sshConfiguration: String,
        isRebuild: Bool
    ) -> [String: String] {
        let provisioner = host.provisioner
        var variables = [
            "PROVISION_VM": vm, "PROVISION_CONTAINER": vm, "PROVISION_HOST": provisioner.devhost,
            "PROVISION_ALIASES": host.aliases.map(\.description).joined(separator: " "),
            "PROVISION_CHANNEL": channel ?? "", "PROVISION_IMAGE": image ?? "", "PROVISION_HYDRA_EVAL": "",
            "PROVISION_UPDATE_CHANNEL": provisioner.updatesChannel ? "--update-channel" : "--no-update-channel",
            "PROVISION_VM_MEMORY": provisioner.memory.map { String($0.mebibytes) } ?? "",
            "PROVISION_VM_CORES": provisioner.cpus?.description ?? "",
            "PROVISION_VM_DISK_SIZE": provisioner.diskSize?.description ?? "", "SSH_CONFIG": sshConfiguration,
        ]
        if case .hydra(let evaluation) = provisioner.source { variables["PROVISION_HYDRA_EVAL"] = evaluation }
        if isRebuild { variables["PROVISION_REBUILD"] = "1" }
        // RSYNC_RSH of somebody else would lead past the environment's ssh configuration.
        let inherited = caller.filter { $0.key != "RSYNC_RSH" && $0.key != "PROVISION_REBUILD" }
        return components.merging(inherited) { _, own in own }.merging(variables) { _, own in own }
    }
}

extension ScriptVariables {
    /// The `COMPONENT_…` variables that an environment sets; nil where that cannot be told without asking for a
    /// passphrase, or where the folder is no environment.
    public static func known(in folder: String, environment: [String: String]) async -> Set<String>? {
        guard let configuration = try? EnvironmentConfiguration(folder: folder),
            let secrets = try? await EnvironmentSecrets.load(
                folder: folder, environment: environment, mayAsk: false)
        else { return nil }
        return Set((configuration.overrides + secrets.settings).map(\.variable))
    }
}
