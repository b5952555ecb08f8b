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
    /// It is off, and libvirt keeps its memory on disk: its next start goes on from there.
    case suspended
    /// It crashed and was kept for inspection.
    case crashed
    /// It sleeps by its own power management.
    case asleep

    /// - Parameter hasSavedMemory: Asked of a domain that is off: whether libvirt keeps its memory.
    init(_ state: Int32, hasSavedMemory: @autoclosure () -> Bool) {
        self =
            switch virDomainState(UInt32(state)) {
            case VIR_DOMAIN_RUNNING, VIR_DOMAIN_BLOCKED: .running
            case VIR_DOMAIN_PAUSED: .paused
            case VIR_DOMAIN_SHUTDOWN: .shuttingDown
            case VIR_DOMAIN_CRASHED: .crashed
            case VIR_DOMAIN_PMSUSPENDED: .asleep
            default: hasSavedMemory() ? .suspended : .off
            }
    }

    /// Whether a hypervisor process stands behind the VM.
    public var isActive: Bool {
        switch self {
        case .running, .paused, .shuttingDown, .crashed, .asleep: true
        case .missing, .off, .suspended: false
        }
    }
}
