import DevhostBase

/// A limit of time on the command line: `90`, `90s`, `5m` or `1h`.
package struct TimeLimit: Sendable, Hashable, ArgumentValue {
    /// The limit.
    package let duration: Duration

    /// The limits that can be asked for, in seconds: up to a day.
    package static let range = 1...86400

    /// Parses a limit.
    /// - Throws: `invalidArgument` for anything but a whole number with an optional unit, within ``range``.
    package init(_ text: String) throws(DevhostError) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
        let unit = text.last.flatMap { units[$0] }
        let digits = unit == nil ? text[...] : text.dropLast()
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int(digits), case let (seconds, overflow) = number.multipliedReportingOverflow(by: unit ?? 1),
            !overflow, Self.range.contains(seconds)
        else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not a limit of time",
                next: "write whole seconds, or a whole number with s, m or h, for instance 300 or 5m, up to 24h")
        }
        duration = .seconds(seconds)
    }
}
