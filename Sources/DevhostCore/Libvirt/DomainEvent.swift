import CLibvirt

/// What happened to a domain (`virDomainEventType` and the details of each type).
public struct DomainEvent: Sendable, Hashable {
    /// What happened.
    public enum Kind: String, Sendable, Encodable {
        /// Nothing: what the VM is when the events begin. No event of libvirt's.
        case present
        /// libvirt has its definition, a new one or a changed one.
        case defined
        /// libvirt has its definition no more: it was destroyed.
        case undefined
        /// It runs: booted, or restored where it was.
        case started
        /// It exists in memory and does not run.
        case paused
        /// It runs on.
        case resumed
        /// Its guest has shut down; `stopped` follows.
        case shutdown
        /// It is off, or suspended.
        case stopped
        /// Its guest crashed.
        case crashed
    }

    let domain: VMName
    let kind: Kind
    /// libvirt's reason for it.
    let reason: String?

    /// - Returns: Nil for an event of a type that this libvirt knows and we do not.
    init?(domain: VMName, type: Int32, detail: Int32) {
        self.domain = domain
        let detail = UInt32(bitPattern: detail)
        switch virDomainEventType(UInt32(bitPattern: type)) {
        case VIR_DOMAIN_EVENT_DEFINED:
            kind = .defined
            reason = Self.name(virDomainEventDefinedDetailType(detail))
        case VIR_DOMAIN_EVENT_UNDEFINED:
            kind = .undefined
            reason = nil
        case VIR_DOMAIN_EVENT_STARTED:
            kind = .started
            reason = Self.name(virDomainEventStartedDetailType(detail))
        case VIR_DOMAIN_EVENT_SUSPENDED:
            kind = .paused
            reason = Self.name(virDomainEventSuspendedDetailType(detail))
        case VIR_DOMAIN_EVENT_RESUMED:
            kind = .resumed
            reason = nil
        case VIR_DOMAIN_EVENT_STOPPED:
            kind = .stopped
            reason = Self.name(virDomainEventStoppedDetailType(detail))
        case VIR_DOMAIN_EVENT_SHUTDOWN:
            kind = .shutdown
            reason = detail == VIR_DOMAIN_EVENT_SHUTDOWN_GUEST.rawValue ? "guest" : nil
        case VIR_DOMAIN_EVENT_CRASHED:
            kind = .crashed
            reason = nil
        default: return nil
        }
    }

    private static func name(_ detail: virDomainEventDefinedDetailType) -> String? {
        switch detail {
        case VIR_DOMAIN_EVENT_DEFINED_ADDED: "added"
        case VIR_DOMAIN_EVENT_DEFINED_UPDATED: "updated"
        case VIR_DOMAIN_EVENT_DEFINED_FROM_SNAPSHOT: "from snapshot"
        default: nil
        }
    }

    private static func name(_ detail: virDomainEventStartedDetailType) -> String? {
        switch detail {
        case VIR_DOMAIN_EVENT_STARTED_BOOTED: "booted"
        case VIR_DOMAIN_EVENT_STARTED_RESTORED: "restored"
        case VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT: "from snapshot"
        case VIR_DOMAIN_EVENT_STARTED_WAKEUP: "woken"
        default: nil
        }
    }

    private static func name(_ detail: virDomainEventSuspendedDetailType) -> String? {
        switch detail {
        case VIR_DOMAIN_EVENT_SUSPENDED_IOERROR: "I/O error"
        case VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG: "watchdog"
        case VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT: "from snapshot"
        case VIR_DOMAIN_EVENT_SUSPENDED_API_ERROR: "failed call"
        default: nil
        }
    }

    private static func name(_ detail: virDomainEventStoppedDetailType) -> String? {
        switch detail {
        case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN: "shut down"
        case VIR_DOMAIN_EVENT_STOPPED_DESTROYED: "by force"
        case VIR_DOMAIN_EVENT_STOPPED_CRASHED: "crashed"
        case VIR_DOMAIN_EVENT_STOPPED_SAVED: "saved"
        case VIR_DOMAIN_EVENT_STOPPED_FAILED: "failed"
        case VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT: "from snapshot"
        default: nil
        }
    }

    /// What the VM is after it; nil where the event says nothing about that.
    var state: DomainState? {
        switch kind {
        case .present, .defined: nil
        case .undefined: .missing
        case .started, .resumed: .running
        case .paused: .paused
        case .shutdown: .shuttingDown
        case .stopped: reason == "saved" ? .suspended : .off
        case .crashed: .crashed
        }
    }
}
