/// The settings of a devhost, checked: what devhost.cfg says, or what holds where it is silent.
public struct Configuration: Sendable {
    /// Which processor guests get.
    public enum AcceleratorChoice: String, Sendable, CaseIterable {
        /// KVM where it works, emulation elsewhere.
        case auto
        /// KVM or nothing.
        case kvm
        /// Emulation.
        case tcg
    }

    /// The network of the VMs.
    public struct Network: Sendable, Hashable {
        /// The name of the libvirt network, its filter and the prefix of the storage pools.
        public var name = "devhost"
        /// The bridge.
        public var bridge = "br-devhost"
        /// The domain in which the network's DNS knows the VMs.
        public var domain = "devhost"
        /// The IPv4 network, a /16.
        public var ipv4: IPv4Network
        /// The IPv6 network, a /64.
        public var ipv6: IPv6Network
        /// How many VMs addresses are reserved for.
        public var capacity: UInt32
        /// Ports of the devhost that VMs may reach.
        public var services: [HostService]
    }

    /// A port of the devhost that VMs may reach, written as in `tcp/443`.
    public struct HostService: Sendable, Hashable {
        /// `tcp` or `udp`.
        public let transport: String
        /// The port.
        public let port: Int
    }

    /// What a new VM gets where its `ensure` does not say.
    public struct Defaults: Sendable, Hashable {
        /// Its memory.
        public var memory: MemorySize
        /// Its CPUs.
        public var cpus: CPUCount
        /// Its disk.
        public var disk: DiskSize
        /// Where it stands.
        public var location: Location
    }

    /// Where files lie.
    public var layout: Layout
    /// The libvirt that runs the VMs.
    public var libvirtURI: String
    /// Which processor guests get.
    public var accelerator: AcceleratorChoice
    /// The network.
    public var network: Network
    /// What new VMs get.
    public var defaults: Defaults
    /// Keys that may log in to every VM.
    public var authorizedKeys: [AuthorizedKey]
    /// Who may do what cannot be undone to a VM.
    public var destroyAccess: DestroyAccess
    /// How much VMs may take.
    public var limits: Limits
    /// Folders in which `file://` images may lie.
    public var imageFolders: [String]
    /// The largest virtual size of an image, in bytes.
    public var maximumImageSize: UInt64
    /// How many days `cleanup` keeps an image that no VM uses.
    public var imageKeepDays: Int
    /// What all images together may occupy before `cleanup` removes unused ones sooner, in bytes; nil for no bound.
    public var imageBudget: UInt64?
    /// What the images that one user fetched may occupy while no VM uses them, in bytes; nil for no bound.
    public var userUnusedImages: UInt64?
    /// Where releases named `fcrs://CHANNEL/RELEASE` are found.
    public var catalog: ReleaseCatalog.Location
    /// Who may publish into its channels, and how much.
    public var channels: ChannelRules
    /// The Hydra server whose evaluations can be named; nil for none.
    public var hydra: ResourceURL?
    /// How VMs are published.
    public var publish: Publish
    /// What becomes of VMs that nobody uses.
    public var cleanup: Cleanup
    /// How new VMs start from the memory of a template.
    public var warmStart: WarmStart
    /// How long `ensure` waits for ssh.
    public var startLimit: Duration
    /// How long a graceful shutdown may take.
    public var shutdownLimit: Duration
    /// How long a verb waits for another verb on the same VM.
    public var lockLimit: Duration

    /// Reads devhost.cfg; a file that does not exist is an empty one.
    /// - Throws: `invalidConfiguration` with every problem, each with section, key and line.
    public static func load(_ path: String = Layout.configurationFile) throws -> Configuration {
        do {
            return try Configuration(text: try Files.readText(path, limit: 1 << 20), source: path)
        } catch let error as DevhostError where error.code == .notFound && path == Layout.configurationFile {
            return try Configuration(text: "", source: path)
        }
    }

    /// Reads the text of a devhost.cfg.
    /// - Throws: `invalidConfiguration` with every problem, each with section, key and line.
    public init(text: String, source: String) throws(DevhostError) {
        var reader = ConfigurationReader(try INIDocument(text, source: source))
        let absolute = ConfigurationReader.absolutePath
        layout = Layout(
            records: try reader.value("devhost", "records", "/etc/devhost/vm-configs", absolute),
            state: try reader.value("devhost", "state", "/var/lib/devhost", absolute),
            hostsFile: try reader.value("devhost", "hosts-file", "/etc/hosts", absolute))
        libvirtURI = try reader.value("devhost", "libvirt-uri", "qemu:///system", ConfigurationReader.text)
        accelerator = try reader.value("devhost", "accelerator", "auto", ConfigurationReader.choice)
        startLimit = try reader.value("devhost", "start-timeout", "300", ConfigurationReader.seconds)
        shutdownLimit = try reader.value("devhost", "shutdown-timeout", "60", ConfigurationReader.seconds)
        lockLimit = try reader.value("devhost", "lock-timeout", "900", ConfigurationReader.seconds)
        network = Network(
            name: try reader.value("network", "name", "devhost", ConfigurationReader.label),
            bridge: try reader.value("network", "bridge", "br-devhost", ConfigurationReader.interfaceName),
            domain: try reader.value("network", "domain", "devhost", ConfigurationReader.domain),
            ipv4: try reader.value("network", "ipv4", "10.12.0.0/16", ConfigurationReader.slash16),
            ipv6: try reader.value("network", "ipv6", "fd64:6576:686f:7374::/64") { text throws(DevhostError) in
                try IPv6Network(text)
            },
            capacity: try reader.value("network", "capacity", "12000", ConfigurationReader.capacity),
            services: try reader.value(
                "network", "allow", "udp/53 tcp/53 tcp/80 tcp/443", ConfigurationReader.services))
        defaults = Defaults(
            memory: try reader.value("defaults", "memory", "2048") { text throws(DevhostError) in try MemorySize(text)
            },
            cpus: try reader.value("defaults", "cpu", "2") { text throws(DevhostError) in try CPUCount(text) },
            disk: try reader.value("defaults", "disk-size", "50G") { text throws(DevhostError) in try DiskSize(text) },
            location: try reader.value("defaults", "location", "dev") { text throws(DevhostError) in try Location(text)
            })
        authorizedKeys = try reader.value("access", "authorized-keys", "", ConfigurationReader.keys)
        destroyAccess = try reader.value("access", "destroy", "anyone", ConfigurationReader.choice)
        limits = try Limits(&reader)
        imageFolders = try reader.value("images", "file-folders", layout.localImages, ConfigurationReader.paths)
        maximumImageSize = try reader.value("images", "max-virtual-size", "2T") { text throws(DevhostError) in
            try DiskSize(text).bytes
        }
        imageKeepDays = try reader.value("images", "keep-days", "90", ConfigurationReader.days)
        imageBudget = try reader.value("images", "budget", "none") { text throws(DevhostError) in
            text == "none" ? nil : try DiskSize(text).bytes
        }
        userUnusedImages = try reader.value("images", "user-unused", "100G") { text throws(DevhostError) in
            text == "none" ? nil : try DiskSize(text).bytes
        }
        catalog = try reader.value("releases", "catalog", layout.catalog) { text throws(DevhostError) in
            try ReleaseCatalog.Location(text)
        }
        channels = try ChannelRules(&reader)
        hydra = try reader.value("releases", "hydra", "none") { text throws(DevhostError) in
            text == "none" ? nil : try ResourceURL(text)
        }
        publish = try Publish(&reader)
        cleanup = try Cleanup(&reader)
        warmStart = try WarmStart(&reader)
        try reader.finish(source: source)
    }
}
