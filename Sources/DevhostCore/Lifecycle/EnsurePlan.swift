/// What a VM's record is to be, from what it is and what is asked for. Nothing outside is touched.
struct EnsurePlan {
    let request: EnsureRequest
    let existing: VMRecord?
    let configuration: Configuration
    let caller: Caller
    let now: Timestamp
    /// Whether the VM has never been started: what fails now takes it away again.
    let isNew: Bool

    /// The record, without what only the devhost can give: id, addresses, host key, image.
    /// - Throws: `invalidArgument` for more keys or aliases than a record holds.
    func record() throws -> VMRecord {
        try request.authorizedKeys.map(AuthorizedKey.check)
        try request.aliases.map(Alias.check)
        var record = existing ?? VMRecord(name: request.name)
        if existing == nil {
            record.owner = caller.name
            record.creationDate = now
            record.isIncomplete = true
        }
        let defaults = configuration.defaults
        record.memory = request.memory ?? record.memory ?? defaults.memory
        record.cpus = request.cpus ?? record.cpus ?? defaults.cpus
        record.diskSize = try diskSize(defaults)
        record.location = request.location ?? record.location ?? defaults.location
        record.aliases = request.aliases ?? record.aliases
        record.isPrivate = request.isPrivate ?? record.isPrivate
        try setAliasPorts(&record)
        try checkCertificates(record)
        record.authorizedKeys = request.authorizedKeys ?? record.authorizedKeys
        record.isOnline = true
        record.lastDeployDate = now
        if record.creationDate == nil { record.creationDate = now }
        return record
    }

    private func setAliasPorts(_ record: inout VMRecord) throws {
        for port in request.aliasPorts {
            guard record.aliases.contains(port.alias) else {
                throw DevhostError(
                    .invalidArgument, "\(record.name) has no alias \(port.alias) that could lead to a port",
                    next: "name it with --aliases too")
            }
            record.aliasPorts[port.alias] = port.target == .standard ? nil : port.target
        }
        let aliases = Set(record.aliases)
        record.aliasPorts = record.aliasPorts.filter { aliases.contains($0.key) }
        let longest = record.aliases.map { configuration.publish.host($0, record.name) }.max { $0.count < $1.count }
        // A host name has 253 characters at most (RFC 1035 counts the lengths of its labels too).
        if let longest, longest.utf8.count > 253 {
            throw DevhostError(
                .invalidArgument, "\(longest.quoted) would have \(longest.utf8.count) characters, more than DNS allows",
                next: "choose a shorter alias")
        }
    }

    /// Refuses names that would never get a certificate. Those that the VM has already stay: `doctor` tells of them.
    private func checkCertificates(_ record: VMRecord) throws {
        let publish = configuration.publish
        let old = Set(existing?.aliases ?? [])
        let own = existing == nil ? [publish.host(record.name)] : []
        for host in own + record.aliases.filter({ !old.contains($0) }).map({ publish.host($0, record.name) }) {
            guard let problem = publish.certificateProblem(of: host) else { continue }
            throw DevhostError(
                .invalidArgument, "\(host) would get no certificate: \(problem)", next: "choose another name")
        }
    }

    private func diskSize(_ defaults: Configuration.Defaults) throws -> DiskSize {
        guard let wanted = request.diskSize else { return existing?.diskSize ?? defaults.disk }
        // Where a rebuild was cut off this may be the size of its new disk: the disk itself tells later.
        if let present = existing?.diskSize, wanted < present, !isNew, existing?.otherDisk == nil {
            throw Self.shrinking(request.name, present.bytes, wanted)
        }
        return wanted
    }

    /// The size of a disk over an image: at least the image's own.
    /// - Throws: `refused` where a smaller one was asked for.
    func diskSize(_ size: DiskSize, over image: BaseImage) throws -> DiskSize {
        guard image.virtualSize > size.bytes else { return size }
        if let wanted = request.diskSize {
            throw DevhostError(
                .refused, "the image needs a disk of \(ByteSize.format(image.virtualSize)), more than \(wanted)",
                next: "ask for at least that, or for nothing")
        }
        return try DiskSize(bytes: image.virtualSize)
    }

    /// The error for a disk that would have to shrink.
    static func shrinking(_ name: VMName, _ present: UInt64, _ wanted: DiskSize) -> DevhostError {
        DevhostError(
            .refused, "the disk of \(name) has \(ByteSize.format(present)) and cannot shrink to \(wanted)",
            next: "ask for at least \(ByteSize.format(present)), or destroy the VM and make it anew")
    }
}
