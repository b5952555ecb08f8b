extension Devhost {
    /// Sees to it that the caller may do to a VM what cannot be undone: `destroy`, `rebuild`, `restore`, and the removal
    /// of a snapshot. `[access] destroy` says who may.
    /// - Parameter record: The VM's record; nil where there is none that could be read, so that nobody owns what is
    ///   left.
    /// - Throws: `permissionDenied`.
    func checkMayDestroy(_ name: VMName, _ record: VMRecord?, verb: String) throws {
        guard configuration.destroyAccess == .owner, !caller.isAdministrator else { return }
        if let owner = record?.owner, owner == caller.name { return }
        let owner = record?.owner.map { "belongs to \($0.printable)" } ?? "has no owner on record"
        throw DevhostError(
            .permissionDenied, "cannot \(verb) \(name): it \(owner), and you are \(caller.name.printable)",
            next: "ask its owner, or a member of the group \(Caller.administrators)")
    }
}
