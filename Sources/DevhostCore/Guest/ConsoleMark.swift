/// Where the console of a VM ended when its guest was last started, in a file beside the VM's keys: older lines are not
/// about this start.
struct ConsoleMark: Sendable {
    let layout: Layout
    let name: VMName

    static let fileName = "console-start"
    static let unstartedName = "never-started"

    private var path: String { "\(layout.folder(name))/\(Self.fileName)" }
    private var unstarted: String { "\(layout.folder(name))/\(Self.unstartedName)" }
    /// Where the console ends now, in bytes.
    var end: UInt64 { (try? Files.size(layout.consoleLog(name))) ?? 0 }

    /// Whether it is certain that the guest was started.
    var isStarted: Bool { Files.exists(path) }

    /// Whether it is certain that the guest was never started: a note says so, and nothing says otherwise. What is only
    /// missing proves nothing.
    var isUnstarted: Bool { Files.exists(unstarted) && !isStarted }

    /// Notes that the guest of a new VM has not been started, before there is anything that it could have written to.
    func noteUnstarted() throws { try Files.writeAtomically(unstarted, [], mode: 0o600) }

    /// Notes that the guest was started when the console ended here, in bytes.
    func note(_ start: UInt64) throws {
        let content = Array("\(start) \(HostBoot.current)\n".utf8)
        if isStarted && !Files.exists(unstarted) { return try Files.write(path, content, mode: 0o600) }
        // From here on the disk may be somebody's work, also after a loss of power.
        try Files.writeAtomically(path, content, mode: 0o600)
        try Files.remove(unstarted)
        try Files.synchronize(layout.folder(name))
    }

    /// Forgets that the guest was ever started, where all of it has been thrown away.
    func remove() throws {
        try noteUnstarted()
        try Files.remove(path)
    }

    /// Where the console of the last start begins, in bytes: its end where that is not known, as after a start by libvirt
    /// itself with the devhost.
    var start: UInt64 {
        let words = ((try? Files.readText(path, limit: 128)) ?? "").split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let start = UInt64(words[0]), words[1] == HostBoot.current else { return end }
        return start
    }
}
