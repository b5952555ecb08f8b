import DevhostCommandLine

extension Operand {
    /// One VM.
    static let vm = Operand("NAME", .vmName)
    /// One or several VMs.
    static let vms = Operand("NAME", .vmName, isRepeatable: true)
}
