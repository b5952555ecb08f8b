import CLibvirt
import Glibc

extension Connection {
    /// Memory and CPUs of a domain as they are now (`virDomainGetInfo`).
    struct DomainInfo: Sendable {
        /// The memory given to the guest, in MiB.
        let memory: Int
        /// The memory that it can be given without a restart, in MiB.
        let maximumMemory: Int
        let cpus: Int
    }

    static func domain(_ call: LibvirtCall, _ name: VMName) throws -> OpaquePointer {
        try domain(call, name.description)
    }

    static func domain(_ call: LibvirtCall, _ name: String) throws -> OpaquePointer {
        try call.own(
            virDomainLookupByName(call.connection, name), "cannot find the domain \(name)", release: virDomainFree)
    }

    /// Runs a body with a domain of this name.
    /// - Throws: `notFound` where there is none.
    func withDomain<Result: Sendable>(
        _ name: VMName, _ body: @escaping @Sendable (OpaquePointer) throws -> Result
    ) async throws -> Result {
        try await read { try body(Self.domain($0, name)) }
    }

    /// Runs a body that changes a domain, announced as `function name`.
    /// - Throws: `notFound` where there is none.
    @discardableResult
    func changeDomain<Result: Sendable>(
        _ function: String, _ name: VMName, _ body: @escaping @Sendable (OpaquePointer) throws -> Result
    ) async throws -> Result {
        try await change(function, name.description) { try body(Self.domain($0, name)) }
    }

    /// The state of a domain, and libvirt's reason for it (`virDomainGetState`, `virDomainHasManagedSaveImage`); nil
    /// where it vanished meanwhile.
    static func state(of domain: OpaquePointer) -> (state: DomainState, reason: Int32)? {
        var state: Int32 = 0
        var reason: Int32 = 0
        guard virDomainGetState(domain, &state, &reason, 0) == 0 else { return nil }
        return (DomainState(state, hasSavedMemory: virDomainHasManagedSaveImage(domain, 0) == 1), reason)
    }

    /// The state of one domain.
    public func domainState(_ name: VMName) async throws -> DomainState {
        try await read { call in
            try optional {
                let domain = try Self.domain(call, name)
                guard let found = Self.state(of: domain) else {
                    throw DevhostError.libvirt("cannot ask for the state of \(name)")
                }
                return found.state
            } ?? .missing
        }
    }

    /// The state of every domain whose name is one of a VM (`virConnectListAllDomains`).
    ///
    /// Only active domains are asked for their state one by one: a thousand that are off cost three calls.
    public func domainStates() async throws -> [VMName: DomainState] {
        try await read { call in
            var states: [VMName: DomainState] = [:]
            try Self.forEachDomain(call, [VIR_CONNECT_LIST_DOMAINS_INACTIVE]) { _, name in states[name] = .off }
            let withSavedMemory = [VIR_CONNECT_LIST_DOMAINS_INACTIVE, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE]
            try Self.forEachDomain(call, withSavedMemory) { _, name in states[name] = .suspended }
            try Self.forEachDomain(call, [VIR_CONNECT_LIST_DOMAINS_ACTIVE]) { domain, name in
                states[name] = Self.state(of: domain)?.state ?? .off
            }
            return states
        }
    }

    /// Runs a body with every domain whose name is one of a VM.
    /// - Parameter kinds: Which ones; none for all.
    private static func forEachDomain(
        _ call: LibvirtCall, _ kinds: [virConnectListAllDomainsFlags], _ body: (OpaquePointer, VMName) -> Void
    ) throws {
        try forEachNamedDomain(call, kinds) { domain, text in
            if let name = try? VMName(text) { body(domain, name) }
        }
    }

    /// Runs a body with every domain, whatever its name (`virConnectListAllDomains`).
    static func forEachNamedDomain(
        _ call: LibvirtCall, _ kinds: [virConnectListAllDomainsFlags], _ body: (OpaquePointer, String) -> Void
    ) throws {
        var list: UnsafeMutablePointer<virDomainPtr?>?
        let flags = kinds.reduce(0) { $0 | $1.rawValue }
        let count = try check(virConnectListAllDomains(call.connection, &list, flags), "cannot list the domains")
        defer { free(list) }
        for index in 0..<Int(count) {
            guard let domain = list?[index] else { continue }
            defer { virDomainFree(domain) }
            if let name = virDomainGetName(domain) { body(domain, String(cString: name)) }
        }
    }

    /// What libvirt says of a domain without its XML.
    struct DomainOverview: Sendable {
        let state: DomainState
        /// Whether it starts with the host.
        let isAutostarted: Bool
        /// Whether its metadata bear our namespace.
        let isOurs: Bool
    }

    /// What libvirt says of every domain whose name is one of a VM.
    func domainOverviews(namespace: String) async throws -> [VMName: DomainOverview] {
        try await read { call in
            var overviews: [VMName: DomainOverview] = [:]
            try Self.forEachDomain(call, []) { domain, name in
                // One that vanishes meanwhile is left out.
                guard let state = Self.state(of: domain)?.state else { return }
                var autostart: Int32 = 0
                virDomainGetAutostart(domain, &autostart)
                let type = Int32(VIR_DOMAIN_METADATA_ELEMENT.rawValue)
                let metadata = virDomainGetMetadata(domain, type, namespace, VIR_DOMAIN_AFFECT_CURRENT.rawValue)
                free(metadata)
                overviews[name] = DomainOverview(
                    state: state, isAutostarted: autostart != 0, isOurs: metadata != nil)
            }
            return overviews
        }
    }

    /// The CPU time of every active domain in nanoseconds, since its hypervisor process was started
    /// (`virDomainGetInfo`).
    func cpuTimes() async throws -> [VMName: UInt64] {
        try await read { call in
            var times: [VMName: UInt64] = [:]
            try Self.forEachDomain(call, [VIR_CONNECT_LIST_DOMAINS_ACTIVE]) { domain, name in
                var info = virDomainInfo()
                // One that ends meanwhile is left out.
                if virDomainGetInfo(domain, &info) == 0 { times[name] = info.cpuTime }
            }
            return times
        }
    }

    /// Defines a domain, or changes the definition of the one with this name and UUID (`virDomainDefineXMLFlags`).
    func defineDomain(_ name: VMName, xml: String) async throws {
        try await change("virDomainDefineXML", name.description) { call in
            _ = try call.own(
                virDomainDefineXMLFlags(call.connection, xml, UInt32(VIR_DOMAIN_DEFINE_VALIDATE.rawValue)),
                "cannot define the VM \(name)", release: virDomainFree)
        }
    }

    /// Runs a domain that is never defined and ends with its `body` (`virDomainCreateXML`, paused, auto-destroyed).
    /// - Returns: libvirt's error where such a domain cannot be created here.
    /// - Throws: `busy` where another domain has its name, `unavailable`: nothing is known then.
    func tryTransientDomain(xml: String) async throws -> LibvirtError? {
        try await change("virDomainCreateXML", "probe") { call in
            let flags = VIR_DOMAIN_START_PAUSED.rawValue | VIR_DOMAIN_START_AUTODESTROY.rawValue
            guard let domain = virDomainCreateXML(call.connection, xml, flags) else {
                let cause = LibvirtError.last()
                if let code = cause.codeOfChance {
                    throw DevhostError(
                        code, "cannot try out what VMs may have here", next: "try again", underlying: cause)
                }
                return cause
            }
            virDomainDestroy(domain)
            virDomainFree(domain)
            return nil
        }
    }

    /// Starts a domain that is off (`virDomainCreate`).
    func startDomain(_ name: VMName) async throws {
        try await changeDomain("virDomainCreate", name) { domain in
            if virDomainCreate(domain) < 0 {
                let cause = LibvirtError.last()
                // Somebody else may have started it since its state was looked at.
                if virDomainIsActive(domain) == 1 { return }
                throw DevhostError(cause.code, "cannot start the VM \(name)", underlying: cause)
            }
        }
    }

    /// Lets a paused domain go on (`virDomainResume`).
    func resumeDomain(_ name: VMName) async throws {
        try await changeDomain("virDomainResume", name) { domain in
            if virDomainResume(domain) < 0 {
                let cause = LibvirtError.last()
                // A start that was cut off here goes on in libvirt, and passes through this state.
                if Self.state(of: domain)?.state == .running { return }
                throw DevhostError(cause.code, "cannot resume \(name)", underlying: cause)
            }
        }
    }

    /// Whether libvirt starts the domain with the host (`virDomainSetAutostart`); unchanged where it is so already.
    func setAutostart(_ name: VMName, _ isOn: Bool) async throws {
        let current = try await withDomain(name) { domain in
            var value: Int32 = 0
            try check(virDomainGetAutostart(domain, &value), "cannot ask whether \(name) starts with the host")
            return value != 0
        }
        guard current != isOn else { return }
        try await changeDomain("virDomainSetAutostart", name) {
            try check(virDomainSetAutostart($0, isOn ? 1 : 0), "cannot set whether \(name) starts with the host")
        }
    }

    /// Asks the guest to shut down (`virDomainShutdown`); returns at once.
    func requestShutdown(_ name: VMName) async throws {
        try await changeDomain("virDomainShutdown", name) { domain in
            if virDomainShutdown(domain) < 0 {
                let cause = LibvirtError.last()
                if virDomainIsActive(domain) == 0 { return }
                throw DevhostError(cause.code, "cannot ask \(name) to shut down", underlying: cause)
            }
        }
    }

    /// Ends a domain at once, as pulling the plug does (`virDomainDestroy`); one that is off or missing is as good.
    func killDomain(_ name: VMName) async throws {
        guard try await domainState(name).isActive else { return }
        try await changeDomain("virDomainDestroy", name) { domain in
            if virDomainDestroy(domain) < 0 {
                let cause = LibvirtError.last()
                if virDomainIsActive(domain) == 0 { return }
                throw DevhostError(cause.code, "cannot stop the VM \(name)", underlying: cause)
            }
        }
    }

    /// Removes the definition of a domain with everything that libvirt keeps for it (`virDomainUndefineFlags`); one
    /// that is missing is as good.
    func undefineDomain(_ name: VMName) async throws {
        guard try await domainState(name) != .missing else { return }
        let kept = [VIR_DOMAIN_UNDEFINE_MANAGED_SAVE, VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA]
        let ofQEMU = [VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA, VIR_DOMAIN_UNDEFINE_NVRAM]
        let flags = (kept + (driver == .test ? [] : ofQEMU)).reduce(0) { $0 | $1.rawValue }
        try await changeDomain("virDomainUndefine", name) { domain in
            if virDomainUndefineFlags(domain, flags) < 0 {
                let cause = LibvirtError.last()
                if cause.isNumber(VIR_ERR_NO_DOMAIN) { return }
                throw DevhostError(cause.code, "cannot remove the definition of \(name)", underlying: cause)
            }
        }
    }

    /// Memory and CPUs of a running domain.
    func domainInfo(_ name: VMName) async throws -> DomainInfo {
        try await withDomain(name) { domain in
            var info = virDomainInfo()
            try check(virDomainGetInfo(domain, &info), "cannot ask for the memory and CPUs of \(name)")
            return DomainInfo(
                memory: Int(info.memory >> 10), maximumMemory: Int(info.maxMem >> 10), cpus: Int(info.nrVirtCpu))
        }
    }

    /// Changes the memory of a running domain, up to its maximum (`virDomainSetMemoryFlags`).
    func setLiveMemory(_ name: VMName, mebibytes: Int) async throws {
        try await changeDomain("virDomainSetMemory", name) {
            try check(
                virDomainSetMemoryFlags($0, UInt(mebibytes) << 10, VIR_DOMAIN_AFFECT_LIVE.rawValue),
                "cannot change the memory of \(name)")
        }
    }

    /// Changes the number of CPUs of a running domain (`virDomainSetVcpusFlags`).
    func setLiveCPUs(_ name: VMName, count: Int) async throws {
        try await changeDomain("virDomainSetVcpus", name) {
            try check(
                virDomainSetVcpusFlags($0, UInt32(count), VIR_DOMAIN_AFFECT_LIVE.rawValue),
                "cannot change the CPUs of \(name)")
        }
    }

    /// Whether a domain is active on a volume of this name (`virDomainGetXMLDesc`, which tells of an active domain what
    /// it runs with, whatever its definition says).
    func isDomain(_ name: VMName, runningOnVolume volume: String) async throws -> Bool {
        guard try await domainState(name).isActive else { return false }
        return try await withDomain(name) { domain in
            try takeString(virDomainGetXMLDesc(domain, 0), "cannot ask what \(name) runs with")
                .contains("/\(volume)'")
        }
    }

    /// The MAC addresses in the definition of a domain (`virDomainGetXMLDesc`); none where there is no such domain.
    func macAddresses(of name: VMName) async throws -> Set<MACAddress> {
        guard try await domainState(name) != .missing else { return [] }
        let xml = try await withDomain(name) { domain in
            try takeString(
                virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE.rawValue),
                "cannot ask for the definition of \(name)")
        }
        let words = xml.split(separator: "<mac address='").dropFirst()
        return Set(words.compactMap { word in try? MACAddress(String(word.prefix { $0 != "'" })) })
    }

    /// The virtual size of a domain's disk in bytes (`virDomainGetBlockInfo`).
    func diskCapacity(_ name: VMName, target: String) async throws -> UInt64 {
        try await withDomain(name) { domain in
            var info = virDomainBlockInfo()
            try check(virDomainGetBlockInfo(domain, target, &info, 0), "cannot ask for the disk of \(name)")
            return info.capacity
        }
    }

    /// Changes the size of a running domain's disk (`virDomainBlockResize`). It would shrink a disk without a word:
    /// callers compare first.
    func resizeDisk(_ name: VMName, target: String, bytes: UInt64) async throws {
        try await changeDomain("virDomainBlockResize", name) {
            try check(
                virDomainBlockResize($0, target, bytes, VIR_DOMAIN_BLOCK_RESIZE_BYTES.rawValue),
                "cannot change the disk size of \(name)")
        }
    }

    /// The XML of the element that the domain's metadata hold under our namespace (`virDomainGetMetadata`); nil where
    /// there is none.
    func domainMetadata(_ name: VMName, namespace: String) async throws -> String? {
        try await withDomain(name) { domain in
            let type = Int32(VIR_DOMAIN_METADATA_ELEMENT.rawValue)
            guard
                let text = virDomainGetMetadata(domain, type, namespace, VIR_DOMAIN_AFFECT_CONFIG.rawValue)
            else {
                let cause = LibvirtError.last()
                if cause.isNumber(VIR_ERR_NO_DOMAIN_METADATA) { return nil }
                throw DevhostError(cause.code, "cannot read the metadata of \(name)", underlying: cause)
            }
            return try takeString(text, "")
        }
    }
}
