import DevhostCommandLine

extension Operand {
    /// A channel of the catalog.
    static let channel = Operand("CHANNEL")
}
