/// Who cares about a VM: the signs of its use, and what becomes of it where there are none.
public struct VMUse: Sendable, Encodable {
    /// A sign of use and when it was last seen.
    public struct Seen: Sendable, Hashable, Encodable {
        /// What was seen.
        public let sign: UseSign
        /// When.
        public let date: Timestamp
    }

    /// The VM.
    public let name: VMName
    /// The signs that were ever seen, the last one first.
    public let signs: [Seen]
    /// For how many seconds it is known to be unused.
    public let unused: Double
    /// When somebody last looked; nil where nobody did.
    public let lastLook: Timestamp?
    /// Whether clean-up leaves it alone.
    public let pin: Pin?
    /// When it was put into the trash.
    public let trashed: Timestamp?
    /// When its owner was told that it goes into the trash, in these words.
    public let notice: String?
    /// Why its signs cannot be read: it is kept.
    public let problem: String?
    /// What is to come if nobody uses it, the next first.
    public let next: [CleanupStep]

    /// When it was last used.
    public var lastUse: Timestamp? { signs.first?.date }
}

extension Devhost {
    /// Which sign of the use of a VM was seen when, and what becomes of it. Also of a VM in the trash.
    /// - Throws: `notFound`, `damaged`.
    public func use(of name: VMName) async throws -> VMUse {
        guard let record = try records.find(name) else {
            throw DevhostError(.notFound, "there is no VM \(name)", next: "see 'fc-devhost list'")
        }
        return use(of: record, state: try? await libvirt().domainState(name))
    }

    /// - Parameter state: What the VM is right now; nil where that is not known.
    func use(of record: VMRecord, state: DomainState?) -> VMUse {
        let store = useStore
        let name = record.name
        var (use, damage) = store.read(name)
        let notice = try? store.notice(name)
        var signs = use.signs
        // What no look has seen yet.
        var recent = (try? store.traces(of: name)) ?? [:]
        recent[.ensure] = record.lastDeployDate
        for (sign, date) in recent where use.traces[sign] != date {
            signs[sign] = date
            use.idle = 0
        }
        let current = CleanupRules.Case(
            record: record, use: use, notice: notice, isActive: state.map(\.isActive))
        let now = Timestamp(clock.now)
        return VMUse(
            name: name,
            signs: signs.map { VMUse.Seen(sign: $0.key, date: $0.value) }
                .sorted { ($1.date, $0.sign.rawValue) < ($0.date, $1.sign.rawValue) },
            unused: use.idle, lastLook: use.look?.date, pin: record.pin?.holds(at: now) == true ? record.pin : nil,
            trashed: record.trashed, notice: notice.map { $0.text(name) }, problem: use.problem ?? damage,
            next: CleanupRules(settings: configuration.cleanup).forecast(current, now: now, uptime: clock.uptime))
    }

    /// Tells whoever ensured a VM which VMs of its owner go into the trash soon, and that this one does not.
    func tellNotices(of record: VMRecord, progress: ProgressHandler) {
        guard let notices = try? useStore.notices() else { return }
        for (name, notice) in notices.sorted(by: { $0.key < $1.key }) {
            if name == record.name {
                progress(.notice("\(name) was to go into the trash on \(notice.date), and is kept"))
                try? useStore.removeNotice(name)
            } else if notice.owner == record.owner {
                progress(.notice(notice.text(name)))
            }
        }
    }
}
