/// Which weights the host can hold VMs to when several want the same processor or disk at once. Every VM has the same,
/// so that a large one takes no more from the others than a small one does; who is alone may take all there is.
struct ResourceWeights: Sendable, Hashable, Codable {
    /// Whether time of the processors can be weighed.
    var hasCPU: Bool
    /// Whether access to disks can be weighed.
    var hasDisk: Bool

    /// None: what libvirt's mock has.
    static let none = ResourceWeights(hasCPU: false, hasDisk: false)
    /// The weight that cgroups give by themselves, which libvirt takes for both of their versions: 2 to 262144 in the
    /// first, 1 to 10000 in the second for processors; 100 to 1000 for disks.
    static let value = 100

    /// The weight of what nobody waits for, where time of the processors can be weighed.
    static let lowValue = 2

    /// What a domain's definition says of it (https://libvirt.org/formatdomain.html, cputune and blkiotune).
    /// - Parameter cpu: Its weight at the processors.
    func elements(cpu: Int = value) -> [XMLElement] {
        let shares = XMLElement("shares", text: "\(cpu)")
        let weight = XMLElement("weight", text: "\(Self.value)")
        return (hasCPU ? [XMLElement("cputune", [:], [shares])] : [])
            + (hasDisk ? [XMLElement("blkiotune", [:], [weight])] : [])
    }
}
