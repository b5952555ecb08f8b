/// Which images and shapes new VMs were made of lately, so that those can get a template that would help often.
struct TemplateDemand: Codable, Sendable, Hashable {
    /// An image and a shape with the moments when a VM of it was made.
    struct Entry: Codable, Sendable, Hashable {
        var image: SHA256Digest
        var cpus: CPUCount
        var memory: MemorySize
        /// The newest last, at most ``TemplateDemand/often`` of them.
        var times: [Timestamp]

        var shape: MachineShape { MachineShape(cpus: cpus, memory: memory) }
    }

    var entries: [Entry] = []
    /// Images that cannot start warm.
    var unfit: [SHA256Digest] = []

    /// How many VMs within ``days`` are often.
    static let often = 3
    /// How long a VM that was made counts, in days.
    static let days = 7
    /// How many images and shapes are remembered: anybody can bring any number of them.
    private static let most = 64

    /// Notes that a VM is made.
    mutating func note(_ image: SHA256Digest, _ shape: MachineShape, at now: Timestamp) {
        var entry = Entry(image: image, cpus: shape.cpus, memory: shape.memory, times: [])
        if let index = entries.firstIndex(where: { $0.image == image && $0.shape == shape }) {
            entry = entries.remove(at: index)
        }
        entry.times = (entry.times + [now]).suffix(Self.often)
        entries = (entries + [entry]).suffix(Self.most)
    }

    /// Notes that an image cannot start warm.
    mutating func noteUnfit(_ image: SHA256Digest) {
        unfit = (unfit.filter { $0 != image } + [image]).suffix(Self.most)
    }

    /// Forgets an image of which no template came up, until VMs are made of it anew: the next try would most likely fail
    /// alike.
    mutating func forget(_ image: SHA256Digest) { entries.removeAll { $0.image == image } }

    /// What should have a template, the most wanted first.
    func wanted(_ shapes: Configuration.WarmStart.Shapes, maximumMemory: MemorySize, now: Timestamp)
        -> [(image: SHA256Digest, shape: MachineShape)]
    {
        let recent = entries.map { entry in
            var entry = entry
            entry.times.removeAll { now.date.timeIntervalSince($0.date) > Double(Self.days) * 86400 }
            return entry
        }.filter { !$0.times.isEmpty }
        var wanted: [(image: SHA256Digest, shape: MachineShape)] = []
        switch shapes {
        case .none: break
        case .often:
            wanted = recent.filter { $0.times.count >= Self.often }.reversed().map { ($0.image, $0.shape) }
        case .listed(let shapes):
            var images: [SHA256Digest] = []
            for entry in recent.reversed() where !images.contains(entry.image) { images.append(entry.image) }
            for image in images { wanted += shapes.map { (image, $0) } }
        }
        return wanted.filter { $0.shape.memory <= maximumMemory }
    }
}
