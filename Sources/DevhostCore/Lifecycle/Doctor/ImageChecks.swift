/// What the doctor looks at in the store of base images.
struct ImageChecks: Sendable {
    let devhost: Devhost
    let libvirt: Connection
    let survey: DoctorSurvey

    func symptoms() async throws -> [Symptom] {
        guard try await libvirt.isPoolActive(HostPreparation.imagePool(devhost.configuration.network)) else {
            return []
        }
        let users = try await devhost.imageUsers(libvirt)
        let store = devhost.imageStore(libvirt, for: "'doctor'")
        let images = try await store.images(users: users)
        var symptoms: [Symptom] = []
        let present = Set(images.filter(\.isComplete).map(\.sha256))
        for (digest, names) in users.sorted(by: { $0.key.description < $1.key.description })
        where !present.contains(digest) {
            symptoms.append(
                Symptom(
                    .error, "image \(digest)", "it is missing below the disk of \(Self.list(names))",
                    because: "these VMs cannot start, and their disks are worth nothing without it",
                    remedy: "bring \(devhost.layout.images)/\(digest).qcow2 back from a backup, or rebuild the VMs"))
        }
        // The volumes of the mock are no files.
        for image in images where image.isComplete && libvirt.driver != .test {
            if let problem = store.damage(of: image.sha256) {
                symptoms.append(
                    Symptom(
                        .error, "image \(image.sha256)", problem,
                        because: "every disk over it depends on each of its bytes: \(Self.list(image.users))",
                        remedy: "look for who changed it, and rebuild the VMs that use it"))
            } else if let stored = try await store.completeImage(image.sha256), let refusal = store.refusal(of: stored)
            {
                symptoms.append(
                    Symptom(
                        .error, "image \(image.sha256)", "an older version took it, and today \(refusal.message)",
                        because: "every look at it may take the memory of the machine: \(Self.list(image.users))",
                        remedy: image.users.isEmpty
                            ? "fc-devhost images prune --older-than 0"
                            : "rebuild the VMs that use it from another image"))
            }
        }
        let leftovers =
            images.filter { !$0.isComplete && users[$0.sha256] == nil && !store.isLocked($0.sha256) }.count
            + (try store.leftovers().count)
        if leftovers > 0 {
            symptoms.append(
                Symptom(
                    .note, "image store", "\(leftovers) half-made files of images are left",
                    because: "they take up room until the weekly cleanup", remedy: "fc-devhost doctor --fix",
                    mend: { [devhost] in _ = try await devhost.pruneImages(olderThanDays: .max, budget: nil) }))
        }
        return symptoms
    }

    private static func list(_ names: [VMName]) -> String {
        names.isEmpty ? "no VM" : names.sorted().map(\.description).joined(separator: ", ")
    }
}
