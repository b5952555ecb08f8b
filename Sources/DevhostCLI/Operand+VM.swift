import DevhostCommandLine

extension Operand {
    /// One VM.
    static let vm = Operand("NAME", .vmName)
    /// One or several VMs.
    static let vms = Operand("NAME", .vmName, isRepeatable: true)
    /// One snapshot.
    static let snapshot = Operand("NAME@LABEL")
    /// One or several snapshots.
    static let snapshots = Operand("NAME@LABEL", isRepeatable: true)
}
