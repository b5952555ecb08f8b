/// The CPUs and the memory of a VM, written as in `2x2G` or `1x512` (MiB).
public struct MachineShape: Hashable, Sendable, CustomStringConvertible {
    /// Its CPUs.
    public let cpus: CPUCount
    /// Its memory.
    public let memory: MemorySize

    /// A shape that is known.
    public init(cpus: CPUCount, memory: MemorySize) {
        self.cpus = cpus
        self.memory = memory
    }

    /// Parses `2x2G`.
    /// - Throws: `invalidArgument` for anything else.
    public init(_ text: String) throws(DevhostError) {
        let words = text.split(separator: "x", omittingEmptySubsequences: false)
        guard words.count == 2 else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not the shape of a machine",
                next: "write its CPUs and its memory, for instance 2x2G")
        }
        cpus = try CPUCount(String(words[0]))
        memory = try MemorySize(String(words[1]))
    }

    /// The shape with its memory in MiB, for instance `2x2048M`.
    public var description: String { "\(cpus)x\(memory)" }
}
