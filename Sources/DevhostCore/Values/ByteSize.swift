/// A number of bytes written as digits and a unit, and the parser that sizes of memory and of disks share.
package enum ByteSize {
    static let units: [(suffix: Character, bytes: UInt64)] = [
        ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30), ("T", 1 << 40),
    ]

    /// Parses `512M`, `50G`, `50GiB`, `1T`; without a unit the number counts `bareUnit` bytes, or is refused where
    /// that is nil. Returns nil for anything else and for what does not fit in 63 bits.
    package static func parse(_ text: String, bareUnit: UInt64?) -> UInt64? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard !digits.isEmpty, let number = UInt64(digits) else { return nil }
        let suffix = text.dropFirst(digits.count).uppercased()
        let unit: UInt64?
        if suffix.isEmpty {
            unit = bareUnit
        } else {
            unit = units.first { suffix == String($0.suffix) || suffix == "\($0.suffix)IB" }?.bytes
        }
        guard let unit else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow || bytes > UInt64(Int64.max) ? nil : bytes
    }

    /// The size with the largest unit that divides it.
    package static func format(_ bytes: UInt64) -> String {
        for unit in units.reversed() where bytes >= unit.bytes && bytes % unit.bytes == 0 {
            return "\(bytes / unit.bytes)\(unit.suffix)"
        }
        return "\(bytes)"
    }
}
