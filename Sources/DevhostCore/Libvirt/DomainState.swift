import CLibvirt

/// What a VM is right now, as libvirt sees it.
public enum DomainState: String, Sendable, Codable, CaseIterable {
    /// libvirt knows no such domain.
    case missing
    /// It runs.
    case running
    /// It exists in memory and does not run.
    case paused
    /// It is on its way down.
    case shuttingDown = "shutting down"
    /// It is off.
    case off
    /// It crashed and was kept for inspection.
    case crashed
    /// It is suspended by its own power management.
    case suspended

    init(_ state: Int32) {
        self =
            switch virDomainState(UInt32(state)) {
            case VIR_DOMAIN_RUNNING, VIR_DOMAIN_BLOCKED: .running
            case VIR_DOMAIN_PAUSED: .paused
            case VIR_DOMAIN_SHUTDOWN: .shuttingDown
            case VIR_DOMAIN_CRASHED: .crashed
            case VIR_DOMAIN_PMSUSPENDED: .suspended
            default: .off
            }
    }

    /// Whether a hypervisor process stands behind the VM.
    public var isActive: Bool {
        switch self {
        case .running, .paused, .shuttingDown, .crashed, .suspended: true
        case .missing, .off: false
        }
    }
}
