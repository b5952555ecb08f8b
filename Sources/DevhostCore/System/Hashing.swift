import COpenSSL
import Synchronization

/// SHA-256 by libcrypto, over data that arrives in parts. The context may be used on any thread, by one at a time, which
/// the lock sees to.
package final class SHA256Hasher: @unchecked Sendable {
    private let context: OpaquePointer
    private let turn = Mutex(())

    package init() throws {
        guard let context = EVP_MD_CTX_new() else { throw DevhostError(.failed, "cannot make a digest context") }
        self.context = context
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            throw DevhostError(.failed, "libcrypto offers no SHA-256")
        }
    }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) throws {
        nonisolated(unsafe) let bytes = bytes
        guard turn.withLock({ _ in EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) }) == 1 else {
            throw DevhostError(.failed, "libcrypto cannot go on with a digest")
        }
    }

    /// The digest of everything so far; nothing may be added after it.
    package func finish() throws -> SHA256Digest {
        var bytes = [UInt8](repeating: 0, count: 32)
        guard turn.withLock({ _ in EVP_DigestFinal_ex(context, &bytes, nil) }) == 1 else {
            throw DevhostError(.failed, "libcrypto cannot finish a digest")
        }
        return SHA256Digest(bytes: bytes)
    }

    /// The digest of bytes that are at hand.
    package static func digest(_ bytes: [UInt8]) throws -> SHA256Digest {
        let hasher = try SHA256Hasher()
        try bytes.withUnsafeBytes { try hasher.update($0) }
        return try hasher.finish()
    }
}
