/// Something that the library tells while a verb runs. What it says is for people; results are what verbs return.
///
/// New cases can come: a reader that draws only some of them shows ``description`` of the others.
public enum ProgressEvent: Hashable, Sendable, CustomStringConvertible {
    /// What is being done or waited for now, for instance `waiting for ssh (12 s)`. It replaces the step before it.
    case step(String)
    /// Something worth knowing that stays true after the verb, for instance `there is no VM demo`.
    case notice(String)
    /// Something that is not as it should be, though the verb goes on.
    case warning(String)
    /// How far a transfer of data has come.
    case transfer(Transfer)

    /// How far a transfer has come. The last event of one that succeeds has `done` equal to `total`.
    public struct Transfer: Hashable, Sendable {
        /// What is transferred, for instance `downloading https://example.com/image.qcow2`. The same text in every
        /// event of one transfer.
        public let what: String
        /// Bytes so far.
        public let done: UInt64
        /// Bytes in all, where that is known.
        public let total: UInt64?
        /// Bytes per second of late, where that is known.
        public let rate: Double?

        /// Makes a report.
        public init(what: String, done: UInt64, total: UInt64? = nil, rate: Double? = nil) {
            self.what = what
            self.done = done
            self.total = total
            self.rate = rate
        }
    }

    /// A transfer without the detour over ``Transfer``.
    public static func transfer(_ what: String, done: UInt64, total: UInt64? = nil, rate: Double? = nil) -> Self {
        .transfer(Transfer(what: what, done: done, total: total, rate: rate))
    }

    /// The event as a sentence without its kind.
    public var description: String {
        switch self {
        case .step(let text), .notice(let text), .warning(let text): text
        case .transfer(let transfer): transfer.what
        }
    }
}

/// Takes the progress events of a verb, in the order in which they happen. Called from any thread; it must not block.
public typealias ProgressHandler = @Sendable (ProgressEvent) -> Void
