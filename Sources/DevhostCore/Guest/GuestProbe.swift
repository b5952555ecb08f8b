/// Asks whether a guest's sshd answers. A protocol, so that tests without guests can answer for them.
public protocol GuestProbe: Sendable {
    /// Whether an ssh banner arrives.
    /// - Parameter limit: How long the connection may take to open.
    func answers(_ address: IPv4Address, limit: Duration) async throws -> Bool
}

/// Connects to port 22 and reads the banner (RFC 4253 section 4.2: `SSH-`).
public struct SSHBannerProbe: GuestProbe {
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
}
