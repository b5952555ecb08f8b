extension Devhost {
    /// Sees to it that the caller may do something to a VM, as the table of ``Verb`` says.
    /// - Parameters:
    ///   - record: The VM's record; nil where there is none that could be read: its file may still name the owner.
    ///   - doing: What the error calls it; nil for the verb.
    /// - Throws: `permissionDenied`.
    func checkMay(
        _ verb: Verb, _ name: VMName, _ record: VMRecord?, doing: String? = nil
    ) throws {
        switch verb.right {
        // Those who publish are asked for by the catalog itself.
        case .anybody, .publisher: return
        case .owner: guard configuration.destroyAccess == .owner, !caller.isAdministrator else { return }
        }
        let owner = record?.owner ?? (record == nil ? records.salvaged(name).owner : nil)
        if let owner, owner == caller.name { return }
        let state = owner.map { "belongs to \($0.printable)" } ?? "has no owner on record"
        throw DevhostError(
            .permissionDenied,
            "cannot \(doing ?? verb.rawValue) \(name): it \(state), and you are \(caller.name.printable)",
            next: "ask its owner, or a member of the group \(Caller.administrators)")
    }
}
