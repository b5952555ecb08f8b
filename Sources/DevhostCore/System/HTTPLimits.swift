/// How long a transfer over HTTP may take, and how often it is tried.
public struct HTTPLimits: Sendable, Hashable {
    /// Seconds until a connection, TLS included, must stand.
    public var connectSeconds = 15
    /// Seconds that a transfer may run below ``stallRate`` before its connection counts as broken.
    public var stallSeconds = 30
    /// The rate in bytes a second below which a transfer counts as stalled.
    public var stallRate = 1024
    /// How often a connection is made for one transfer.
    public var attempts = 6
    /// The pause before the second attempt; each further one waits twice as long, up to 30 seconds.
    public var pause = Duration.seconds(1)
    /// How many redirects are followed.
    public var redirects = 8
    /// How long a whole download may take.
    public var whole = Duration.seconds(12 * 3600)
    /// How long the fetching of a small document may take, all in all.
    public var document = Duration.seconds(30)

    /// The defaults.
    public init() {}
}
