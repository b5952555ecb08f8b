extension UInt64 {
    /// The sum; the largest number where that is larger. For numbers that come from elsewhere.
    package func addingClamped(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
