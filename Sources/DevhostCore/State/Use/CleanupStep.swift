/// What clean-up does with a VM.
public enum CleanupAction: String, Sendable, Codable {
    /// It is suspended: its memory is kept on disk.
    case suspend
    /// It is shut down, because it cannot be suspended.
    case shutdown
    /// Its owner is told that it goes into the trash.
    case notice
    /// It goes into the trash.
    case trash
    /// It is gone from there.
    case gone
}

/// What clean-up will do with a VM, and when.
public struct CleanupStep: Sendable, Hashable, Encodable {
    /// What is done.
    public let action: CleanupAction
    /// When, if nobody uses the VM until then. It is later where the devhost is off meanwhile.
    public let date: Timestamp
}
