extension Configuration {
    /// How much VMs may take.
    public struct Limits: Sendable, Hashable {
        /// Bounds for a group of VMs; nil where there is none.
        public struct Bounds: Sendable, Hashable {
            /// How many VMs there may be.
            public var vms: Int?
            /// The memory of those that are meant to run, in bytes.
            public var memory: UInt64?
            /// The CPUs of those that are meant to run.
            public var cpus: Int?
            /// The sizes of their disks, in bytes.
            public var disk: UInt64?
        }

        /// What all VMs of one user may take.
        public var user: Bounds
        /// What all VMs may take.
        public var total: Bounds
        /// How much memory running VMs may be given, in percent of the machine's; nil for no bound.
        public var memoryPercent: Int?
        /// How many snapshots a VM may have; nil for no bound.
        public var snapshots: Int?

        init(_ reader: inout ConfigurationReader) throws(DevhostError) {
            user = try Self.bounds(&reader, prefix: "user-")
            total = try Self.bounds(&reader, prefix: "")
            memoryPercent = try reader.value("limits", "memory-overcommit", "no", ConfigurationReader.overcommit)
            snapshots = try reader.value("limits", "snapshots", "20", ConfigurationReader.count)
        }

        private static func bounds(
            _ reader: inout ConfigurationReader, prefix: String
        ) throws(DevhostError) -> Bounds {
            let size = { (text: String) throws(DevhostError) -> UInt64? in
                text == "none" ? nil : try ConfigurationReader.amount(text)
            }
            return Bounds(
                vms: try reader.value("limits", prefix + "vms", "none", ConfigurationReader.count),
                memory: try reader.value("limits", prefix + "memory", "none", size),
                cpus: try reader.value("limits", prefix + "cpu", "none", ConfigurationReader.count),
                disk: try reader.value("limits", prefix + "disk", "none", size))
        }
    }

    /// Who may do what cannot be undone to a VM.
    public enum DestroyAccess: String, Sendable, CaseIterable {
        /// Whoever may call fc-devhost.
        case anyone
        /// Its owner, root, and the members of the group `devhost-admins`.
        case owner
    }
}

extension ConfigurationReader {
    static func count(_ text: String) throws(DevhostError) -> Int? {
        if text == "none" { return nil }
        guard let value = Int(text), (0...1_000_000).contains(value) else {
            throw refused(text, "a number from 0 to 1000000, or none")
        }
        return value
    }

    static func amount(_ text: String) throws(DevhostError) -> UInt64 {
        guard let bytes = ByteSize.parse(text, bareUnit: nil) else {
            throw refused(text, "a size like 64G, or none")
        }
        return bytes
    }

    fileprivate static func overcommit(_ text: String) throws(DevhostError) -> Int? {
        switch text {
        case "no": return 100
        case "yes": return nil
        default:
            guard text.hasSuffix("%"), let value = Int(text.dropLast()), (1...10_000).contains(value) else {
                throw refused(text, "no, yes, or a share of the machine's memory like 150%")
            }
            return value
        }
    }
}
