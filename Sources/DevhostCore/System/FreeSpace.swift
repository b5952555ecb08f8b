#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The room on the disks.
package enum FreeSpace {
    /// What stays free beside what is written, so that records and logs still can be.
    package static let reserve: UInt64 = 256 << 20

    /// After how many bytes written somebody who writes many looks at the room again: others write too, and not every
    /// source says how much it will give.
    package static let step: UInt64 = 64 << 20

    /// The bytes that an ordinary user could still write into a folder, and the size of its disk.
    package static func status(_ folder: String) throws -> (free: UInt64, total: UInt64) {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else {
            throw DevhostError.posix("cannot ask for the free space of \(folder)")
        }
        let unit = UInt64(status.f_frsize)
        return (UInt64(status.f_bavail) * unit, UInt64(status.f_blocks) * unit)
    }

    /// The bytes that an ordinary user could still write into a folder.
    package static func available(_ folder: String) throws -> UInt64 {
        try status(folder).free
    }

    /// Makes sure that bytes fit into folders, several of which may lie on one disk.
    /// - Throws: `insufficientSpace` with what is needed and what there is.
    package static func require(_ needs: [(folder: String, bytes: UInt64)], reserve: UInt64 = reserve, for what: String)
        throws
    {
        var disks: [UInt64: (folder: String, bytes: UInt64)] = [:]
        for (folder, bytes) in needs {
            var status = stat()
            guard stat(folder, &status) == 0 else { throw DevhostError.posix("cannot look at \(folder)") }
            let disk = UInt64(status.st_dev)
            let before = disks[disk]?.bytes ?? 0
            disks[disk] = (disks[disk]?.folder ?? folder, before.addingClamped(bytes))
        }
        for (folder, bytes) in disks.values {
            let free = try available(folder)
            guard free >= reserve, free - reserve >= bytes else {
                throw DevhostError(
                    .insufficientSpace,
                    "\(what) needs \(bytes >> 20) MiB in \(folder), where \(free >> 20) MiB are free and "
                        + "\(reserve >> 20) MiB are kept free",
                    next: "make room, for instance with 'fc-devhost images prune'")
            }
        }
    }
}
