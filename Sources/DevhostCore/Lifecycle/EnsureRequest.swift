/// What `ensure` is asked for. What is nil stays as it is, or gets the default of devhost.cfg where the VM is new.
public struct EnsureRequest: Sendable {
    /// The VM.
    public var name: VMName
    /// Its memory.
    public var memory: MemorySize?
    /// Its CPUs.
    public var cpus: CPUCount?
    /// The size of its disk; it can grow, never shrink.
    public var diskSize: DiskSize?
    /// The names it is published under.
    public var aliases: [Alias]?
    /// Where aliases lead that do not lead to https on port 443. Those that are not named keep their place.
    public var aliasPorts: [AliasPort] = []
    /// Whether only the allowed may see what it publishes.
    public var isPrivate: Bool?
    /// Where it stands.
    public var location: Location?
    /// The release that its image and channel come from; a VM that has a disk keeps its image.
    public var release: ReleaseReference?
    /// Whether a VM that exists follows the channel of `release`.
    public var updatesChannel = true
    /// Whether a new VM boots although there is a template that it could start from.
    public var bootsCold = false
    /// The keys of its owner that may log in.
    public var authorizedKeys: [AuthorizedKey]?
    /// How long its ssh may take to answer.
    public var startLimit: Duration?

    /// A request for a VM with everything else left as it is.
    public init(name: VMName) { self.name = name }
}
