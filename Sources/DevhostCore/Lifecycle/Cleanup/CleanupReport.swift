/// What a clean-up did, or would do.
public struct CleanupReport: Sendable, Encodable {
    /// One step with one VM.
    public struct Step: Sendable, Hashable, Encodable {
        /// The VM.
        public let name: VMName
        /// Whose it is.
        public let owner: String?
        /// What was done.
        public let action: CleanupAction
        /// When the VM was last used.
        public let lastUse: Timestamp?

        /// What people read.
        public var text: String {
            let why = lastUse.map { "last used \($0)" } ?? "never seen used"
            return switch action {
            case .suspend: "\(name) is suspended (\(why))"
            case .shutdown: "\(name) is shut down (\(why))"
            case .notice: "\(name): its owner is told that it goes into the trash (\(why))"
            case .trash: "\(name) is put into the trash (\(why))"
            case .gone: "\(name) is destroyed: its days in the trash are over"
            }
        }

        /// What people read of a step that was not made.
        public var intention: String {
            let why = lastUse.map { "last used \($0)" } ?? "never seen used"
            return switch action {
            case .suspend: "\(name) would be suspended (\(why))"
            case .shutdown: "\(name) would be shut down (\(why))"
            case .notice: "\(name): its owner would be told that it goes into the trash (\(why))"
            case .trash: "\(name) would be put into the trash (\(why))"
            case .gone: "\(name) would be destroyed: its days in the trash are over"
            }
        }
    }

    /// What was done, in order.
    public internal(set) var steps: [Step] = []
    /// The VMs that are kept because not all signs of use could be read, with the reason.
    public internal(set) var kept: [String: String] = [:]
    /// What failed, and why. The rest was done all the same.
    public internal(set) var failures: [String] = []
}
