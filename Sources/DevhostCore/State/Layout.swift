/// Where everything lies on the devhost: every path that the library makes up stands here.
///
/// Folders of our own begin with '_' in the state folder, where every other name is a VM's: no VM name can bear one.
public struct Layout: Sendable, Hashable {
    /// The folder of the records, one `NAME.json` each.
    public var records: String
    /// The folder of consoles, images and keys.
    public var state: String
    /// The hosts file of the machine, in which VM names resolve.
    public var hostsFile: String

    /// `/etc/devhost/devhost.cfg`
    public static let configurationFile = "/etc/devhost/devhost.cfg"

    /// Where libvirt keeps the memory of suspended VMs.
    public static let savedMemory = "/var/lib/libvirt/qemu/save"

    /// The paths of a devhost.
    public init(
        records: String = "/etc/devhost/vm-configs", state: String = "/var/lib/devhost",
        hostsFile: String = "/etc/hosts"
    ) {
        self.records = records
        self.state = state
        self.hostsFile = hostsFile
    }

    /// The record of a VM.
    public func record(_ name: VMName) -> String { "\(records)/\(name).json" }
    /// What belongs to one VM: its console log and its host key.
    public func folder(_ name: VMName) -> String { "\(state)/\(name)" }
    /// The console of a VM.
    public func consoleLog(_ name: VMName) -> String { "\(folder(name))/log" }
    /// The private ssh host key of a VM; the public one beside it ends in `.pub`.
    public func hostKey(_ name: VMName) -> String { "\(folder(name))/ssh_host_ed25519_key" }
    /// What a VM that was taken away because its creation failed leaves for its user to read.
    public func failure(_ name: VMName) -> String { "\(failures)/\(name)" }
    /// The folder of that.
    public var failures: String { "\(state)/_failed" }
    /// The lock of one VM.
    public func lock(_ name: VMName) -> String { "\(locks)/\(name).lock" }
    /// The folder of the locks.
    public var locks: String { "\(state)/_locks" }
    /// The lock under which ids are given out.
    public var allocationLock: String { "\(locks)/_allocation.lock" }
    /// The lock under which the network, the pools and the hosts file change.
    public var hostLock: String { "\(locks)/_host.lock" }
    /// The lock under which VMs are counted against the limits of devhost.cfg.
    public var limitLock: String { "\(locks)/_limits.lock" }
    /// The folder of the audit log and of what logrotate makes of it.
    public var auditFolder: String { "\(state)/_audit" }
    /// The audit log: a JSON object a line.
    public var auditLog: String { "\(auditFolder)/audit.log" }
    /// The id that was given out last.
    public var allocation: String { "\(state)/_last-id" }
    /// The key with which the devhost itself enters guests, and signs the certificates of `login`.
    public var bootstrapKey: String { "\(state)/_bootstrap_key" }
    /// The folder of the keys of logins that are under way: callers pass through to the key that is theirs.
    public var logins: String { "\(state)/_logins" }
    /// The folder of base images.
    public var images: String { "\(state)/_images" }
    /// The folder of overlays.
    public var disks: String { "\(state)/_disks" }
    /// The pipe through which a VM that starts warm gets its memory; there only meanwhile.
    public func memoryPipe(_ name: VMName) -> String { "\(folder(name))/\(Self.memoryPipeName)" }
    /// How it is called in the VM's folder.
    static let memoryPipeName = "memory"
    /// The folder of the templates that new VMs start from.
    public var templates: String { "\(state)/_templates" }
    /// What is known of a template; written last, it makes the template complete.
    public func templateRecord(_ key: String) -> String { "\(templates)/\(key).json" }
    /// The memory of a template, as libvirt saved it.
    public func templateMemory(_ key: String) -> String { "\(templates)/\(key).memory" }
    /// The volume name of a template's overlay.
    public func templateDisk(_ key: String) -> String { "\(key).qcow2" }
    /// The volume name of the first-boot data of a template that is being made.
    public func templateFirstBoot(_ key: String) -> String { "\(key).conf" }
    /// The console of a template that is being made.
    public func templateConsole(_ key: String) -> String { "\(templates)/\(key).log" }
    /// Who is making a template.
    public func templateClaim(_ key: String) -> String { "\(templates)/\(key).claim" }
    /// The lock of one of the places for those who make templates.
    public func templatePlace(_ number: Int) -> String { "\(locks)/_template-place-\(number).lock" }
    /// The lock of the one place that a user has among them.
    public func templatePlace(ofUser user: UInt32) -> String { "\(locks)/_template-place-of-\(user).lock" }
    /// The domain that a template is while it is being made: no VM can bear the name.
    public func templateDomain(_ key: String) -> String { "_template-\(key)" }
    /// The lock of whoever makes or removes a template.
    public func templateLock(_ key: String) -> String { "\(locks)/_template-\(key).lock" }
    /// The lock of one of the places for VMs that come up from a template.
    public func warmStartPlace(_ number: Int) -> String { "\(locks)/_warm-start-\(number).lock" }
    /// Which images and shapes new VMs were made of lately.
    public var templateDemand: String { "\(templates)/demand.json" }
    /// The lock under which that, and the use of templates, is noted.
    public var templateNotesLock: String { "\(locks)/_template-notes.lock" }
    /// The folder of first-boot data.
    public var firstBoot: String { "\(state)/_first-boot" }
    /// Where images of the devhost's own administrator may lie, for `file://` URLs.
    public var localImages: String { "\(state)/_local-images" }
    /// The local catalog of releases.
    public var catalog: String { "\(state)/_catalog" }
    /// What remembers the images that releases had.
    public var releaseLedger: String { "\(state)/_releases.json" }
    /// The folder of downloads on their way: what lies there has not been judged.
    public var downloads: String { "\(state)/_downloads" }
    /// The folder of the names that the network's DNS answers: a hosts file for each VM.
    public var dnsNames: String { "\(state)/_dns" }
    /// The folder of all that has to do with publishing.
    public var publishing: String { "\(state)/_publish" }
    /// The folder of the published names: a folder for each, with a file in it that says where it leads.
    public var publishedNames: String { "\(publishing)/names" }
    /// What of devhost.cfg the published names follow.
    public var publishedSettings: String { "\(publishing)/settings" }
    /// What Caddy is told.
    public var proxyConfiguration: String { "\(publishing)/caddy.json" }
    /// The folder of Caddy's admin socket, which only root and Caddy's user enter.
    public var proxyControl: String { "\(publishing)/control" }
    /// Caddy's admin socket: whoever reaches it rules the proxy.
    public var proxySocket: String { "\(proxyControl)/admin.sock" }
    /// The folder in which Caddy keeps certificates and keys.
    public var proxyStorage: String { "\(publishing)/certificates" }
    /// The folder of Caddy's log.
    public var proxyLogs: String { "\(publishing)/log" }
    /// What Caddy notes of each request.
    public var accessLog: String { "\(proxyLogs)/access.log" }
    /// The folder of what was seen of the use of each VM.
    public var use: String { "\(state)/_use" }
    /// What was seen of the use of a VM.
    public func use(_ name: VMName) -> String { "\(use)/\(name).json" }
    /// A sign of the use of a VM that a command left there.
    public func trace(_ sign: UseSign, _ name: VMName) -> String { "\(use)/\(name).\(sign.rawValue)" }
    /// The notice that a VM will be put into the trash.
    public func notice(_ name: VMName) -> String { "\(use)/\(name).notice" }
    /// The lock of whoever looks for signs of use.
    public var collectLock: String { "\(locks)/_collect.lock" }
    /// The lock of the clean-up.
    public var cleanupLock: String { "\(locks)/_cleanup.lock" }
    /// The folder of the landing page.
    public var landingPage: String { "\(publishing)/page" }
    /// The lock under which the proxy is set up and started.
    public var proxyLock: String { "\(locks)/_proxy.lock" }
    /// Whether KVM was found to work.
    public var accelerator: String { "\(state)/_accelerator.json" }
    /// Which weights the machine was found to hold VMs to.
    public var weights: String { "\(state)/_weights.json" }

    /// The volume name of a VM's overlay, by the number of the disk: the first one is 0, every rebuild makes another.
    public func diskVolume(_ name: VMName, _ number: UInt32) -> String {
        number == 0 ? "\(name).qcow2" : "\(name).\(number).qcow2"
    }
    /// The VM that a volume of the overlays belongs to, whatever its number; nil for anything else.
    public func owner(ofDiskVolume volume: String) -> VMName? {
        guard volume.hasSuffix(".qcow2") else { return nil }
        // No name of a VM holds a dot.
        return try? VMName(String(volume.prefix { $0 != "." }))
    }
    /// The volume name of a VM's first-boot data.
    public func firstBootVolume(_ name: VMName) -> String { "\(name).conf" }
}
