/// The names of VMs in the network's DNS: a file for each in a folder that dnsmasq watches (`hostsdir`), so that giving one a
/// name asks nobody and waits for nobody. The VM's lock must be held.
struct DNSFolder: Sendable {
    let path: String

    private func file(_ name: VMName) -> String { "\(path)/\(name)" }

    /// Gives a VM's name its addresses; the file is left alone where it says so already.
    func publish(_ name: VMName, addresses: [String]) throws {
        let content = addresses.map { "\($0) \(name)\n" }.joined()
        let file = file(name)
        if Files.exists(file), try Files.readText(file) == content { return }
        try Files.createDirectory(path, mode: 0o755)
        try Files.writeAtomically(file, Array(content.utf8), mode: 0o644)
    }

    /// Takes a VM's name away.
    func withdraw(_ name: VMName) throws { try Files.remove(file(name)) }

    /// The names with their addresses.
    func entries() throws -> [String: Set<String>] {
        var entries: [String: Set<String>] = [:]
        for file in try Files.names(in: path) where !file.hasPrefix(".") {
            for line in try Files.readText("\(path)/\(file)").split(separator: "\n") {
                let words = line.split(separator: " ")
                if words.count == 2 { entries[String(words[1]), default: []].insert(String(words[0])) }
            }
        }
        return entries
    }
}
