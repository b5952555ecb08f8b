import Synchronization

/// Volumes whose content is at hand.
extension Connection {
    /// Makes a raw volume with a content, anew where it exists. The mock's volumes have none.
    func makeVolume(pool: String, name: String, content: [UInt8]) async throws {
        let volume = VolumeDefinition(name: name, format: .raw, capacity: UInt64(content.count), mode: "0600")
        try await deleteVolume(pool: pool, name: name)
        try await createVolume(pool: pool, name: name, xml: volume.rendered)
        try await fillVolume(pool: pool, name: name, content: content)
    }

    /// Writes the file of a volume from its start, whatever its format.
    func fillVolume(pool: String, name: String, content: [UInt8]) async throws {
        guard driver != .test else { return }
        let once = OnceBytes(content)
        try await uploadVolume(pool: pool, name: name) { once.take() }
    }
}

/// Gives its bytes once, then none: the source of an upload from memory.
private final class OnceBytes: Sendable {
    private let content: Mutex<[UInt8]>
    init(_ content: [UInt8]) { self.content = Mutex(content) }
    func take() -> [UInt8] {
        content.withLock { content in
            defer { content = [] }
            return content
        }
    }
}
