/// Who may publish releases into the channels of a catalog, and how many.
public struct ChannelRules: Sendable, Hashable {
    /// Who may publish into a channel that is not listed.
    public enum Access: String, Sendable, CaseIterable {
        /// Who published into it first; a channel of which nobody knows that, administrators alone.
        case owner
        /// Whoever may call fc-devhost.
        case anyone
        /// Administrators: root and the members of the group `devhost-admins`.
        case admins
    }

    /// Who may publish into a channel that is not listed.
    public var access: Access
    /// Who may publish into channels that are listed, by name. Administrators always may.
    public var publishers: [ChannelName: Set<String>]
    /// How many releases of one user there may be; nil for no bound.
    public var userReleases: Int?
    /// How many bytes the images of one user's releases may have together; nil for no bound.
    public var userSize: UInt64?

    /// Rules.
    public init(
        access: Access = .owner, publishers: [ChannelName: Set<String>] = [:], userReleases: Int? = 50,
        userSize: UInt64? = 100 << 30
    ) {
        self.access = access
        self.publishers = publishers
        self.userReleases = userReleases
        self.userSize = userSize
    }
}
