/// The notice that a VM will be put into the trash if nobody uses it.
struct UseNotice: Sendable, Hashable, Codable {
    /// Whose VM it is.
    var owner: String?
    /// When it was last used.
    var lastUse: Timestamp?
    /// When it is put into the trash.
    var date: Timestamp
    /// How many seconds it had been unused when this was said.
    var idle: Double

    /// What the owner reads.
    func text(_ name: VMName) -> String {
        let since = lastUse.map { " since \($0)" } ?? ""
        return "nobody has used \(name)\(since): it goes into the trash on \(date) or later; to keep it, use it or run "
            + "'fc-devhost pin \(name)'"
    }
}
