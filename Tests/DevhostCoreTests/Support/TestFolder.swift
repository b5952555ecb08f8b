import DevhostCore
import Foundation

/// A folder that goes with everything in it when its owner goes.
final class TestFolder: Sendable {
    let path: String

    init(_ prefix: String) throws {
        path = "/tmp/devhost-test-\(prefix).\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
