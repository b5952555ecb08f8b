/// One VM of an environment.
public struct EnvironmentHost: Sendable, Hashable {
    /// The name in environment.cfg; also the VM's unless ``isDynamic``.
    public let name: String
    /// Whether each checkout gives its VM a name of its own.
    public let isDynamic: Bool
    /// The names under which the VM is published.
    public let aliases: [Alias]
    /// The user to whom files below its home belong; nil where none is named.
    public let serviceUser: String?
    /// Where the VM comes from.
    public let provisioner: VMProvisioner
}

/// A `[provisioner:NAME]` of an environment: a devhost, and what VMs are to be like there.
public struct VMProvisioner: Sendable, Hashable {
    /// Which image and channel VMs start from.
    public enum Source: Sendable, Hashable {
        /// What `fc-devhost ensure --release` takes.
        case release(ReleaseReference)
        /// What `fc-devhost ensure --hydra-eval` takes.
        case hydra(String)
    }

    /// The name in environment.cfg.
    public let name: String
    /// The devhost as ssh knows it.
    public let devhost: String
    /// Which image and channel.
    public let source: Source
    /// The memory; nil leaves it to the devhost.
    public let memory: MemorySize?
    /// The number of CPUs; nil leaves it to the devhost.
    public let cpus: CPUCount?
    /// The size of the disk; nil leaves it to the devhost.
    public let diskSize: DiskSize?
    /// Whether VMs that exist move to the channel.
    public let updatesChannel: Bool

    /// Whether this machine is the devhost.
    public var isLocal: Bool { devhost == "localhost" }
}
