import Glibc

/// What VMs leave that were taken away because their creation failed.
extension Devhost {
    /// How much of a console is kept, and how much of a reason, in bytes.
    static let keptConsole = 1 << 20
    static let keptReason = 64 << 10
    /// How many failures are kept: of one user, and of all.
    static let keptFailures = (ofUser: 10, ofAll: 200)
    /// How many days they are kept.
    static let keptFailureDays = 30

    /// Keeps the end of a console and the reason, in place of what an earlier failure left, and makes room for it.
    func keepFailure(of name: VMName, because reason: any Error) throws {
        let folder = layout.failure(name)
        try Files.createDirectory(layout.failures, mode: 0o700)
        try Files.createDirectory(folder, mode: 0o700)
        let text = Array("\(reason)\n".utf8.suffix(Self.keptReason))
        try Files.write("\(folder)/reason", text, mode: 0o600)
        // It counts for whom it belongs to: root alone enters the folder above.
        _ = lchown("\(folder)/reason", caller.userID, gid_t.max)
        let console = layout.consoleLog(name)
        if Files.exists(console) {
            let end = try Files.tail(console, bytes: Self.keptConsole)
            try Files.write("\(folder)/log", Array(end.utf8.suffix(Self.keptConsole)), mode: 0o600)
        }
        try forgetOldFailures()
    }

    /// Forgets failures that are too old or too many, the oldest first.
    func forgetOldFailures() throws {
        struct Kept {
            let name: VMName
            let written: Int
            let user: uid_t
        }
        var kept: [Kept] = []
        for file in try Files.names(in: layout.failures) {
            guard let name = try? VMName(file) else { continue }
            var status = stat()
            let path = layout.failure(name)
            // One that was cut off has no reason yet.
            guard lstat("\(path)/reason", &status) == 0 || lstat(path, &status) == 0 else { continue }
            kept.append(Kept(name: name, written: status.st_mtim.tv_sec, user: status.st_uid))
        }
        kept.sort { ($1.written, $0.name) < ($0.written, $1.name) }
        let oldest = Int(clock.now.timeIntervalSince1970) - Self.keptFailureDays * 86400
        var count = 0
        var ofUser: [uid_t: Int] = [:]
        for each in kept {
            let own = ofUser[each.user, default: 0]
            let isOneTooMany = count >= Self.keptFailures.ofAll || (each.user != 0 && own >= Self.keptFailures.ofUser)
            guard !isOneTooMany, each.written >= oldest else {
                try forgetFailure(of: each.name)
                continue
            }
            count += 1
            ofUser[each.user] = own + 1
        }
    }

    /// Removes what the failed creation of a VM left.
    func forgetFailure(of name: VMName) throws {
        let folder = layout.failure(name)
        guard Files.isDirectory(folder) else { return }
        for file in try Files.names(in: folder) where ["log", "reason"].contains(file) || Files.isTemporary(file) {
            try Files.remove("\(folder)/\(file)")
        }
        try Files.removeDirectory(folder)
    }
}
