extension Devhost {
    /// Takes a place among those who make templates at a time: `builds` in `[warm-start]` for all, one for each user.
    /// - Returns: What is held until it is let go.
    /// - Throws: `busy` where there is none: each of them runs a guest of somebody's choice for minutes.
    func templatePlace() async throws -> [FileLock] {
        var held: [FileLock] = []
        if caller.userID != 0 {
            guard let own = try await lockIfFree(layout.templatePlace(ofUser: caller.userID), verb: "templates build")
            else {
                throw DevhostError(
                    .busy, "\(caller.name.printable) is making a template already, and a user makes one at a time",
                    next: "try again when it is made")
            }
            held.append(own)
        }
        let count = configuration.warmStart.builds
        for number in 0..<count {
            if let place = try await lockIfFree(layout.templatePlace(number), verb: "templates build") {
                return held + [place]
            }
        }
        throw DevhostError(
            .busy, "as many templates are being made as may be at a time (\(count))",
            next: "try again when one of them is made, or raise builds in [warm-start] of devhost.cfg")
    }

    /// Counts the system of a template for its maker, before it boots.
    /// - Throws: `refused` past a limit.
    func claimTemplate(_ key: String, _ shape: MachineShape, _ libvirt: Connection) async throws {
        let claim = TemplateClaim(
            user: caller.name, memory: UInt64(shape.memory.mebibytes) << 20, cpus: shape.cpus.value)
        guard let use = claim.usage(key) else { return }
        let lock = try await FileLock.acquire(
            layout.limitLock, holder: "the count for a template", limit: configuration.lockLimit, clock: clock)
        defer { withExtendedLifetime(lock) {} }
        let limits = UsageLimits(limits: configuration.limits, machineMemory: try await libvirt.node().memory)
        try limits.check(
            use, insteadOf: nil, others: try await uses(libvirt).filter { $0.name != use.name }, caller: caller.name)
        try Files.write(layout.templateClaim(key), try JSONCoding.encode(claim), mode: 0o600)
    }
}
