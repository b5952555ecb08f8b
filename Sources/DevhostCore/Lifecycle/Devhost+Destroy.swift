extension Devhost {
    /// Takes a VM away: what runs, its disk, its names, its record. Works from any part of a VM that is left.
    ///
    /// When it returns, name, addresses and disk are free.
    /// - Returns: False where nothing bore the name, which is no error.
    /// - Throws: `conflict` for a domain that somebody else made, `permissionDenied` where `[access] destroy` forbids
    ///   it, `busy`, `unavailable`.
    @discardableResult
    public func destroy(_ name: VMName, progress: @escaping ProgressHandler = { _ in }) async throws -> Bool {
        try await audited("destroy", name, progress: progress) { try await takeAway(name, progress: progress) }
    }

    private func takeAway(_ name: VMName, progress: @escaping ProgressHandler) async throws -> Bool {
        let lock = try await lock(name, verb: "destroy", progress: progress)
        defer { withExtendedLifetime(lock) {} }
        let libvirt = try await self.libvirt()
        let parts = VMParts(devhost: self, libvirt: libvirt, name: name)
        try await parts.checkDomainIsOurs()
        let hasRecord = Files.exists(layout.record(name))
        let hasParts = try await parts.exist()
        if hasRecord || hasParts {
            try checkMayDestroy(name, try? records.find(name), verb: "destroy")
            progress(.step("destroying \(name)"))
            if let source = (try? records.find(name))?.cloneOf { try await parts.endCopy(from: source) }
            try await parts.remove()
            try records.remove(name)
            await serve(progress: progress)
        }
        try forgetFailure(of: name)
        return hasRecord || hasParts
    }

    private func forgetFailure(of name: VMName) throws {
        let folder = layout.failure(name)
        guard Files.isDirectory(folder) else { return }
        for file in ["log", "reason"] { try Files.remove("\(folder)/\(file)") }
        try Files.removeDirectory(folder)
    }
}
