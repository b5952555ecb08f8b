#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A user of this machine.
package struct User: Sendable, Hashable {
    package let id: UInt32
    package let group: UInt32
    package let name: String
    package let home: String

    /// Looks a user up by name; nil where the machine knows none.
    package init?(named name: String) {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16384)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        id = entry.pw_uid
        group = entry.pw_gid
        self.name = String(cString: entry.pw_name)
        home = String(cString: entry.pw_dir)
    }

    /// Looks a user up by number; nil where the machine knows none.
    package init?(id: UInt32) {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16384)
        guard getpwuid_r(id, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        self.id = id
        group = entry.pw_gid
        name = String(cString: entry.pw_name)
        home = String(cString: entry.pw_dir)
    }
}

/// Who called this process.
public struct Caller: Sendable, Hashable {
    /// The user's number.
    public let userID: UInt32
    /// The user's name, or `uid N` where the machine knows none.
    public let name: String
    /// Whether the process has root's rights on behalf of somebody who is not root (sudo).
    public let isElevated: Bool

    /// Finds the caller: through sudo, the user that `SUDO_UID` names (sudo sets it; there is no login session to ask,
    /// and `SUDO_USER` names no number), else the user of the process.
    public static func current(environment: [String: String]) -> Caller {
        let real = getuid()
        if real == 0, let text = environment["SUDO_UID"], let id = UInt32(text), id != 0 {
            return Caller(userID: id, name: User(id: id)?.name ?? "uid \(id)", isElevated: true)
        }
        return Caller(userID: real, name: User(id: real)?.name ?? "uid \(real)", isElevated: false)
    }

    /// A caller that is known: for tools that embed the library, and for tests.
    public init(userID: UInt32, name: String, isElevated: Bool) {
        self.userID = userID
        self.name = name
        self.isElevated = isElevated
    }
}
