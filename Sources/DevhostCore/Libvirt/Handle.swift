import CLibvirt
import Glibc

/// Owns a reference that libvirt counts (a domain, a network, a pool, a volume, a filter, a stream) and gives it back
/// once. It stays within the call that looked it up.
final class Handle {
    let pointer: OpaquePointer
    private let release: (OpaquePointer) -> Int32

    /// - Throws: The error of the libvirt call that made `pointer`, where that is nil.
    init(
        _ pointer: OpaquePointer?, _ attempt: @autoclosure () -> String, release: @escaping (OpaquePointer) -> Int32
    ) throws {
        guard let pointer else { throw DevhostError.libvirt(attempt()) }
        self.pointer = pointer
        self.release = release
    }

    deinit { _ = release(pointer) }
}

/// Turns the status of a libvirt call into an error.
@discardableResult
func check(_ status: Int32, _ attempt: @autoclosure () -> String) throws -> Int32 {
    guard status >= 0 else { throw DevhostError.libvirt(attempt()) }
    return status
}

/// Nil where what was looked up does not exist.
func optional<Value>(_ lookUp: () throws -> Value) throws -> Value? {
    do {
        return try lookUp()
    } catch let error as DevhostError where error.code == .notFound {
        return nil
    }
}

/// Takes over a string that libvirt allocated.
func takeString(_ pointer: UnsafeMutablePointer<CChar>?, _ attempt: @autoclosure () -> String) throws -> String {
    guard let pointer else { throw DevhostError.libvirt(attempt()) }
    defer { free(pointer) }
    return String(cString: pointer)
}
