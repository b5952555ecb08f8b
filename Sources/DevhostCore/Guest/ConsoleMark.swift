/// Where the console of a VM ended when its guest was last started, in a file beside the VM's keys: older lines are not
/// about this start.
struct ConsoleMark: Sendable {
    let layout: Layout
    let name: VMName

    static let fileName = "console-start"

    private var path: String { "\(layout.folder(name))/\(Self.fileName)" }
    /// Where the console ends now, in bytes.
    var end: UInt64 { (try? Files.size(layout.consoleLog(name))) ?? 0 }

    /// Whether the guest was ever started.
    var exists: Bool { Files.exists(path) }

    /// Notes that the guest was started when the console ended here, in bytes.
    func note(_ start: UInt64) throws {
        try Files.write(path, Array("\(start) \(HostBoot.current)\n".utf8), mode: 0o600)
    }

    /// Forgets that the guest was ever started, where all of it has been thrown away.
    func remove() throws { try Files.remove(path) }

    /// Where the console of the last start begins, in bytes: its end where that is not known, as after a start by libvirt
    /// itself with the devhost.
    var start: UInt64 {
        let words = ((try? Files.readText(path, limit: 128)) ?? "").split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let start = UInt64(words[0]), words[1] == HostBoot.current else { return end }
        return start
    }
}
