extension Configuration {
    /// How new VMs start from the memory of a template instead of booting.
    public struct WarmStart: Sendable, Hashable {
        /// Which templates are made without being asked for.
        public enum Shapes: Sendable, Hashable {
            /// None.
            case none
            /// Those of images and shapes that new VMs are often made of.
            case often
            /// These shapes, of every image that new VMs are made of.
            case listed([MachineShape])
        }

        /// Whether new VMs start from templates, and templates are made at all.
        public var isEnabled: Bool
        /// Which templates are made without being asked for.
        public var shapes: Shapes
        /// The most memory of a shape that gets a template.
        public var maximumMemory: MemorySize
        /// What all templates together may occupy, in bytes; beyond it those go that were not used for longest.
        public var maximumDisk: UInt64
        /// How many templates are made at a time.
        public var builds: Int
        /// How long ssh of a VM that started from a template may take to answer before it boots instead. Not in
        /// devhost.cfg: several times what a busy devhost was seen to take.
        public var answerLimit = Duration.seconds(15)

        init(_ reader: inout ConfigurationReader) throws(DevhostError) {
            isEnabled = try reader.value("warm-start", "enabled", "yes", ConfigurationReader.yesOrNo)
            shapes = try reader.value("warm-start", "shapes", "often", ConfigurationReader.shapes)
            maximumMemory = try reader.value("warm-start", "max-memory", "8G") { text throws(DevhostError) in
                try MemorySize(text)
            }
            maximumDisk = try reader.value("warm-start", "max-disk", "20G") { text throws(DevhostError) in
                try DiskSize(text).bytes
            }
            builds = try reader.value("warm-start", "builds", "2") { text throws(DevhostError) in
                guard let count = Int(text), (1...64).contains(count) else {
                    throw ConfigurationReader.refused(text, "a number from 1 to 64")
                }
                return count
            }
        }
    }
}

extension ConfigurationReader {
    fileprivate static func shapes(_ text: String) throws(DevhostError) -> Configuration.WarmStart.Shapes {
        switch text {
        case "none": return .none
        case "often": return .often
        default:
            var shapes: [MachineShape] = []
            for word in text.split(whereSeparator: \.isWhitespace) { shapes.append(try MachineShape(String(word))) }
            guard !shapes.isEmpty else { throw refused(text, "none, often, or shapes like 2x2G") }
            return .listed(shapes)
        }
    }
}
