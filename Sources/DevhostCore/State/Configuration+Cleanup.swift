extension Configuration {
    /// What becomes of VMs that nobody uses. Days count from the last sign of use.
    public struct Cleanup: Sendable, Hashable {
        /// After how many days a VM is suspended, or shut down where it cannot be; nil for never.
        public var shutdownAfter: Int?
        /// After how many days it is put into the trash; nil for never.
        public var deleteAfter: Int?
        /// How many days it can be had back from there.
        public var trashDays: Int
        /// How many days before the trash its owner is told.
        public var noticeDays: Int
        /// From what load on a VM is in use: percent of one CPU, on the average between two looks.
        public var cpuThreshold: Int
        /// The program that is told of every step; nil for none.
        public var hook: String?
        /// How long it may take.
        public var hookLimit: Duration

        init(_ reader: inout ConfigurationReader) throws(DevhostError) {
            shutdownAfter = try reader.value("cleanup", "shutdown-after", "14", ConfigurationReader.daysOrNever)
            deleteAfter = try reader.value("cleanup", "delete-after", "31", ConfigurationReader.daysOrNever)
            trashDays = try reader.value("cleanup", "trash-days", "7", ConfigurationReader.days)
            noticeDays = try reader.value("cleanup", "notice-days", "3", ConfigurationReader.days)
            cpuThreshold = try reader.value("cleanup", "cpu-threshold", "25", ConfigurationReader.percent)
            hook = try reader.value("cleanup", "hook", "none") { text throws(DevhostError) in
                text == "none" ? nil : try ConfigurationReader.absolutePath(text)
            }
            hookLimit = try reader.value("cleanup", "hook-timeout", "30", ConfigurationReader.seconds)
            if let deleteAfter, noticeDays >= deleteAfter {
                reader.add(problem: "[cleanup] notice-days must be less than delete-after")
            }
        }
    }
}

extension ConfigurationReader {
    fileprivate static func daysOrNever(_ text: String) throws(DevhostError) -> Int? {
        if text == "never" { return nil }
        guard let value = Int(text), (1...36500).contains(value) else {
            throw refused(text, "a number of days from 1 to 36500, or never")
        }
        return value
    }

    fileprivate static func percent(_ text: String) throws(DevhostError) -> Int {
        guard let value = Int(text), (1...100_000).contains(value) else {
            throw refused(text, "percent of one CPU, from 1 up")
        }
        return value
    }
}
