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

    /// Whether the user is a member of a group, by the databases of the machine (`getgrouplist`).
    package func isMember(ofGroup name: String) -> Bool {
        var entry = Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var buffer = [CChar](repeating: 0, count: 1 << 20)
        guard getgrnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return false }
        // NGROUPS_MAX: the kernel gives nobody more.
        var groups = [gid_t](repeating: 0, count: 65536)
        var count = Int32(groups.count)
        guard getgrouplist(self.name, group, &groups, &count) >= 0 else { return false }
        return groups.prefix(Int(count)).contains(entry.gr_gid)
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
    /// Whether it is root itself, or a member of the group ``administrators``.
    public let isAdministrator: Bool

    /// Those who stand above `[access] destroy = owner`.
    public static let administrators = "devhost-admins"

    /// Finds the caller: through sudo, the user that `SUDO_UID` names (sudo sets it; there is no login session to ask,
    /// and `SUDO_USER` names no number), else the user of the process.
    public static func current(environment: [String: String]) -> Caller {
        let real = getuid()
        if real == 0, let text = environment["SUDO_UID"], let id = UInt32(text), id != 0 {
            return Caller(id, isElevated: true)
        }
        return Caller(real, isElevated: false)
    }

    private init(_ id: UInt32, isElevated: Bool) {
        let user = User(id: id)
        self.init(
            userID: id, name: user?.name ?? "uid \(id)", isElevated: isElevated,
            isAdministrator: user?.isMember(ofGroup: Self.administrators) ?? false)
    }

    /// A caller that is known: for tools that embed the library, and for tests. User 0 is an administrator always.
    public init(userID: UInt32, name: String, isElevated: Bool, isAdministrator: Bool = false) {
        self.userID = userID
        self.name = name
        self.isElevated = isElevated
        self.isAdministrator = isAdministrator || userID == 0
    }
}
