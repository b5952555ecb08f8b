/// What the library tells while it works. Only a front end draws it.
public enum ProgressEvent: Sendable, Hashable {
    /// What is being done or waited for.
    case step(String)
    /// Something worth knowing that needs no action.
    case notice(String)
    /// Something that went wrong and does not stop the work.
    case warning(String)
    /// Bytes that move: what, how many so far, of how many (nil where unknown), and how many a second.
    case transfer(what: String, done: UInt64, total: UInt64?, rate: UInt64)
}

/// Takes progress events; may be called from any thread.
///
/// It must return soon: a verb calls it between two steps and under the lock of its VM, and goes on when it returns. What
/// shows events where somebody may not read for long has to queue them.
public typealias ProgressHandler = @Sendable (ProgressEvent) -> Void
