/// Numbers of bytes as people read them.
package enum ByteText {
    /// A number of bytes in powers of 1024, with one digit after the point below ten of a unit.
    package static func size(_ bytes: UInt64) -> String {
        var value = Double(bytes)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1000 { return number(value, unit) }
            value /= 1024
        }
        return number(value, "TiB")
    }

    private static func number(_ value: Double, _ unit: String) -> String {
        let tenths = Int((value * 10).rounded())
        if unit == "B" || tenths >= 100 || tenths % 10 == 0 { return "\(Int(value.rounded())) \(unit)" }
        return "\(tenths / 10).\(tenths % 10) \(unit)"
    }
}
