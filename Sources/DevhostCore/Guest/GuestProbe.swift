/// Asks whether a guest's sshd answers. A protocol, so that tests without guests can answer for them.
public protocol GuestProbe: Sendable {
    /// Whether an ssh banner arrives.
    /// - Parameter limit: How long the connection may take to open.
    func answers(_ address: IPv4Address, limit: Duration) async throws -> Bool

    /// Whether the guest can be reached at all, its sshd left alone. Unless said otherwise, where that answers.
    /// - Parameter limit: How long the answer may take.
    func isReached(_ address: IPv4Address, limit: Duration) async throws -> Bool
}

extension GuestProbe {
    /// Whether an ssh banner arrives.
    public func isReached(_ address: IPv4Address, limit: Duration) async throws -> Bool {
        try await answers(address, limit: limit)
    }
}

/// Connects to port 22 and reads the banner (RFC 4253 section 4.2: `SSH-`).
public struct SSHBannerProbe: GuestProbe {
    /// TCP's discard service (RFC 863), which no guest has: its kernel refuses the connection, which costs it nothing.
    private static let discardPort: UInt16 = 9

    /// Makes the probe.
    public init() {}

    /// Whether an ssh banner arrives.
    public func answers(_ address: IPv4Address, limit: Duration) async throws -> Bool {
        try Effects.announce(.network, "ssh banner \(address)")
        return try await Blocking.run {
            guard let connection = try TCPConnection.open(address, port: 22, limit: limit) else { return false }
            // A guest that is still booting accepts long before it speaks; asking anew would only put us last in line.
            return connection.read(upTo: 4, limit: .seconds(10)).elementsEqual("SSH-".utf8)
        }
    }

    /// Whether a connection to a port where nobody listens is refused, or made after all.
    public func isReached(_ address: IPv4Address, limit: Duration) async throws -> Bool {
        try Effects.announce(.network, "reach \(address)")
        return try await Blocking.run {
            try TCPConnection.isAnswered(address, port: Self.discardPort, limit: limit)
        }
    }
}
