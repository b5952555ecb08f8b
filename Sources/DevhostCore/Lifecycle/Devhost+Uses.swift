extension Devhost {
    /// What is counted against the limits: what records claim, and what runs beyond that, templates that are being made
    /// among it.
    func uses(_ libvirt: Connection) async throws -> [VMUsage] {
        let active = try await libvirt.activeUses()
        let occupied = libvirt.driver == .test ? [:] : occupiedDisk()
        var uses = try records.uses().map { use in
            var use = use
            if let running = active[use.name.description] {
                use.memory = max(use.memory, running.memory)
                use.cpus = max(use.cpus, running.cpus)
            }
            use.disk = max(use.disk, occupied[use.name] ?? 0)
            return use
        }
        for (key, claim) in try templateStore.claims() {
            let isMade = active[layout.templateDomain(key)] != nil || FileLock.isHeld(layout.templateLock(key))
            if isMade, let use = claim.usage(key) { uses.append(use) }
        }
        return uses
    }

    /// What the disks of VMs and the memory of suspended ones occupy, in bytes: snapshots make a disk larger than its
    /// size. Asked only where a limit counts it.
    private func occupiedDisk() -> [VMName: UInt64] {
        guard configuration.limits.user.disk != nil || configuration.limits.total.disk != nil else { return [:] }
        var occupied: [VMName: UInt64] = [:]
        for volume in (try? Files.names(in: layout.disks)) ?? [] {
            guard let name = layout.owner(ofDiskVolume: volume) else { continue }
            occupied[name, default: 0] += (try? Files.allocatedSize("\(layout.disks)/\(volume)")) ?? 0
        }
        for name in occupied.keys {
            let memory = "\(Layout.savedMemory)/\(name).save"
            if Files.exists(memory) { occupied[name, default: 0] += (try? Files.allocatedSize(memory)) ?? 0 }
        }
        return occupied
    }
}
