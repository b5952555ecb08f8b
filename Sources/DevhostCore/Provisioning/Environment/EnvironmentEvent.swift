/// What happens while an environment is brought up. No secret stands in any of it.
public enum EnvironmentEvent: Sendable {
    /// Something about the whole environment that does not stop the work.
    case warning(String)
    /// What is being done for a host.
    case step(host: String, String)
    /// What the devhost says about a host's VM.
    case devhost(host: String, String)
    /// What happens while a host's script runs.
    case provision(host: String, ProvisionEvent)
    /// All hosts are done; nothing comes after it.
    case ended([HostOutcome])
}

/// What became of one host.
public struct HostOutcome: Sendable {
    /// The host.
    public let host: EnvironmentHost
    /// Its VM; nil where it has none.
    public let name: VMName?
    /// How its script went, or why it came to no script.
    public let result: Result<ProvisionSummary, DevhostError>

    /// Whether it came to its script, however that ended.
    public var isUp: Bool {
        if case .success = result { true } else { false }
    }

    /// The host's addresses.
    public var urls: [String] { name.map { host.urls(of: $0) } ?? [] }
}

extension EnvironmentHost {
    /// Where the VM's aliases are published.
    public func urls(of name: VMName) -> [String] {
        let devhost = (try? SSHDestination(provisioner.devhost))?.host ?? provisioner.devhost
        return aliases.map { "https://\($0).\(name).\(devhost)/" }
    }
}
