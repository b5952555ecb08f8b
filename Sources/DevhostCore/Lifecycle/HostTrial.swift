import FoundationEssentials

/// What a trial showed of this host, kept in a file for the boot and the version of the hypervisor.
struct HostTrial: Sendable {
    let devhost: Devhost
    let libvirt: Connection
    /// The file.
    let path: String

    private struct Finding<Value: Codable>: Codable {
        var boot: String
        var version: UInt64
        var value: Value
    }

    /// - Parameter attempt: Makes the trial. What it throws says nothing of the host, and nothing is kept then.
    func result<Value: Codable>(of attempt: () async throws -> Value) async throws -> Value {
        let version = try await libvirt.hypervisorVersion()
        if let known = known(Value.self, version) { return known }
        // One at a time: the domain of a trial has one name, so that two at once would fail each other.
        return try await devhost.withHostLock {
            if let known = known(Value.self, version) { return known }
            let finding = Finding(boot: HostBoot.current, version: version, value: try await attempt())
            try Files.write(path, Array(try JSONEncoder().encode(finding)), mode: 0o644)
            return finding.value
        }
    }

    private func known<Value: Codable>(_ type: Value.Type, _ version: UInt64) -> Value? {
        guard let content = try? Files.read(path, limit: 4096),
            let known = try? JSONDecoder().decode(Finding<Value>.self, from: Data(content)),
            known.boot == HostBoot.current, known.version == version
        else { return nil }
        return known.value
    }
}
