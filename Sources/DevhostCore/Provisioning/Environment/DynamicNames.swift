#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Which VM each host of an environment is in this checkout. The file is the one in which batou keeps the same, so
/// that both mean the same VM.
public struct DynamicNames: Sendable {
    /// The file in the environment's folder.
    public static let fileName = "hostmap.json"

    private let path: String
    private var names: [String: String]

    /// Reads the names of a checkout; none where nothing was kept yet.
    /// - Throws: `damaged` where the file is not what it should be.
    public init(folder: String) throws(DevhostError) {
        path = "\(folder)/\(Self.fileName)"
        guard Files.exists(path) else {
            names = [:]
            return
        }
        do {
            names = try JSONDecoder().decode([String: String].self, from: Data(Files.read(path, limit: 1 << 20)))
        } catch {
            throw DevhostError(
                .damaged, "\(path) does not map hosts to names",
                next: "mend it, or remove it to have new VMs", underlying: error)
        }
    }

    /// The VM that a host is; nil for a dynamic one that has no name yet.
    /// - Throws: `invalidArgument` where the name in the file is no name of a VM.
    public func name(of host: EnvironmentHost) throws(DevhostError) -> VMName? {
        if !host.isDynamic { return try VMName(host.name) }
        return try names[host.name].map { text throws(DevhostError) in try VMName(text) }
    }

    /// Gives a host a name of its own: eight hex digits, as batou's are, not all decimal and not taken.
    /// - Parameter taken: The names that the devhost has.
    public mutating func assign(_ host: EnvironmentHost, taken: Set<String>) throws(DevhostError) -> VMName {
        var generator = SystemRandomNumberGenerator()
        return try assign(host, taken: taken, using: &generator)
    }

    mutating func assign(
        _ host: EnvironmentHost, taken: Set<String>, using generator: inout some RandomNumberGenerator
    ) throws(DevhostError) -> VMName {
        while true {
            let digits = String(UInt32.random(in: 0...UInt32.max, using: &generator), radix: 16)
            let text = String(repeating: "0", count: 8 - digits.count) + digits
            guard let name = try? VMName(text), !taken.contains(text), !names.values.contains(text) else { continue }
            names[host.name] = text
            return name
        }
    }

    /// Keeps the names.
    public func save() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try Files.writeAtomically(path, Array(encoder.encode(names)) + [Ascii.newline], mode: 0o644)
    }
}
