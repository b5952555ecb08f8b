extension Devhost {
    /// Sees to it that the caller may do something to a VM, as the table of ``Verb`` says.
    /// - Parameters:
    ///   - record: The VM's record; nil where there is none that could be read.
    ///   - doing: What the error calls it; nil for the verb.
    /// - Throws: `permissionDenied`.
    func checkMay(
        _ verb: Verb, _ name: VMName, _ record: VMRecord?, doing: String? = nil
    ) throws {
        switch verb.right {
        case .anybody: return
        case .owner: guard configuration.destroyAccess == .owner, !caller.isAdministrator else { return }
        }
        if let owner = record?.owner, owner == caller.name { return }
        let owner = record?.owner.map { "belongs to \($0.printable)" } ?? "has no owner on record"
        throw DevhostError(
            .permissionDenied,
            "cannot \(doing ?? verb.rawValue) \(name): it \(owner), and you are \(caller.name.printable)",
            next: "ask its owner, or a member of the group \(Caller.administrators)")
    }
}
