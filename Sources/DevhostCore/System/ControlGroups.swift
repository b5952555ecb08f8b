#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The control groups of this process.
///
/// systemd gives each user a part of the tree (`user@1000.service`). Whoever owns a group can freeze all that runs in it,
/// or give it no processor time, also what runs there as root: `systemd-run --user --scope sudo …` starts it there.
enum ControlGroups {
    /// The group that a process moves into, beside the part that is another's: what the administrator set for the user
    /// as a whole still holds.
    static let name = "fc-devhost"

    /// Moves this process out of every group that somebody else than root owns.
    /// - Parameters:
    ///   - root: Where the groups are mounted.
    ///   - membership: A file as `/proc/self/cgroup`.
    static func leaveThoseOfOthers(root: String = "/sys/fs/cgroup", membership: String = "/proc/self/cgroup") {
        guard let text = try? Files.readText(membership, limit: 1 << 16) else { return }
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            guard let mount = mount(root, String(parts[1])), let parent = owned(mount, String(parts[2])) else {
                continue
            }
            let group = "\(parent)/\(name)"
            mkdir(group, 0o755)
            guard let file = try? FileDescriptor.open("\(group)/cgroup.procs", O_WRONLY | O_NOFOLLOW) else { continue }
            try? file.write(Array("\(getpid())".utf8), path: group)
        }
    }

    private static func mount(_ root: String, _ controllers: String) -> String? {
        guard controllers.isEmpty else {
            return "\(root)/\(controllers.hasPrefix("name=") ? String(controllers.dropFirst(5)) : controllers)"
        }
        return Files.isDirectory("\(root)/unified") ? "\(root)/unified" : root
    }

    /// The last folder on the way to a group below which not all is root's; nil where all is.
    private static func owned(_ mount: String, _ path: String) -> String? {
        var folder = mount
        for part in path.split(separator: "/") {
            let next = "\(folder)/\(part)"
            var status = stat()
            guard part != "..", stat(next, &status) == 0 else { return nil }
            if status.st_uid != 0 || isOfOther("\(next)/cgroup.procs") || isOfOther("\(next)/cgroup.freeze") {
                return folder
            }
            folder = next
        }
        return nil
    }

    private static func isOfOther(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_uid != 0
    }
}
