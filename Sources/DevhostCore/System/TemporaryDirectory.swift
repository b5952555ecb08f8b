#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A folder that only this user may enter and that goes when its owner goes.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init(in parent: String = "/tmp", prefix: String) throws {
        var template = Array("\(parent)/\(prefix).XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw DevhostError.posix("cannot make a folder in \(parent)") }
        path = template.withUnsafeBufferPointer { String(decoding: $0.dropLast().map(UInt8.init), as: UTF8.self) }
    }

    deinit { remove() }

    /// Removes the folder and its files before its owner goes.
    package func remove() {
        for name in (try? Files.names(in: path)) ?? [] { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}
