extension EnvironmentHost {
    /// The words of `fc-devhost ensure` for the host's VM.
    package func ensureArguments(_ name: VMName, keys: [String]) -> [String] {
        var words = ["ensure"]
        if let memory = provisioner.memory { words += ["--memory", String(memory.mebibytes)] }
        if let cpus = provisioner.cpus { words += ["--cpu", cpus.description] }
        if let size = provisioner.diskSize { words += ["--disk-size", size.description] }
        words += ["--aliases", aliases.map(\.description).joined(separator: " ")]
        switch provisioner.source {
        case .release(let release): words += ["--release", release.recordText ?? release.description]
        case .hydra(let evaluation): words += ["--hydra-eval", evaluation]
        }
        words.append(provisioner.updatesChannel ? "--update-channel" : "--no-update-channel")
        return words + keys.flatMap { ["--authorized-key", $0] } + [name.description]
    }
}
