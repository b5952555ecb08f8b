import CLibvirt
import Glibc

/// One call into libvirt: holds the references that it looks up (domains, networks, pools, volumes, filters, streams)
/// until it ends, and gives each back once. None outlives the call.
final class LibvirtCall {
    let connection: OpaquePointer
    private var owned: [(pointer: OpaquePointer, release: (OpaquePointer) -> Int32)] = []

    init(_ connection: OpaquePointer) { self.connection = connection }

    /// Takes over a counted reference.
    /// - Throws: The error of the libvirt function that made it, where it is nil.
    @discardableResult
    func own(
        _ pointer: OpaquePointer?, _ attempt: @autoclosure () -> String, release: @escaping (OpaquePointer) -> Int32
    ) throws -> OpaquePointer {
        guard let pointer else { throw DevhostError.libvirt(attempt()) }
        owned.append((pointer, release))
        return pointer
    }

    /// Runs a body with a call of its own.
    static func run<Result>(_ connection: OpaquePointer, _ body: (LibvirtCall) throws -> Result) rethrows -> Result {
        let call = LibvirtCall(connection)
        defer { for (pointer, release) in call.owned.reversed() { _ = release(pointer) } }
        return try body(call)
    }
}

/// Turns the status of a libvirt function into an error.
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
