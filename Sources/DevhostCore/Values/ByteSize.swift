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

    /// Parses what ``parse(_:bareUnit:)`` does, and the forms of the old fc-devhost: a fraction, `K`, `B` for bytes, and bytes
    /// without a unit. What is no whole number of MiB counts up to the next, as disks are made of those.
    /// - Returns: A number of bytes; nil for anything else and for what does not fit in 63 bits.
    static func parseDisk(_ text: String) -> UInt64? {
        let number = text.prefix { ("0"..."9").contains($0) || $0 == "." }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.contains(where: { !$0.isEmpty }) else { return nil }
        let unit = text.dropFirst(number.count).uppercased()
        let bareUnit = unit == "B" ? "" : unit
        guard let scale = parse("1\(bareUnit)", bareUnit: 1) else { return nil }
        let whole = parts[0].isEmpty ? 0 : parse("\(parts[0])\(bareUnit)", bareUnit: 1)
        guard let whole else { return nil }
        var bytes = whole
        if parts.count == 2, !parts[1].isEmpty {
            // Nine digits tell apart more than a disk of this size has bytes to the MiB.
            let digits = parts[1].prefix(9)
            guard let fraction = UInt64(digits) else { return nil }
            let divisor = digits.reduce(UInt64(1)) { product, _ in product * 10 }
            let (high, low) = fraction.multipliedFullWidth(by: scale)
            bytes += divisor.dividingFullWidth((high, low)).quotient
        }
        let mebibyte: UInt64 = 1 << 20
        guard bytes <= UInt64(Int64.max) - mebibyte else { return nil }
        return (bytes + mebibyte - 1) / mebibyte * mebibyte
    }

    /// The size with the largest unit that divides it.
    package static func format(_ bytes: UInt64) -> String {
        for unit in units.reversed() where bytes >= unit.bytes && bytes % unit.bytes == 0 {
            return "\(bytes / unit.bytes)\(unit.suffix)"
        }
        return "\(bytes)"
    }
}
