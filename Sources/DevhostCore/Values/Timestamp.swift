#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A moment as records keep it: ISO 8601. The old tool wrote some without a zone, which are UTC.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The moment.
    public let date: Date

    /// The moments that can be written: of the years 1 to 9999, in seconds since the reference date.
    private static let range: ClosedRange<Double> = -63_113_904_000...252_423_993_599

    /// A moment that is known, to the second; the nearest one that can be written where it is none of ``range``.
    public init(_ date: Date) {
        let seconds = date.timeIntervalSinceReferenceDate.rounded(.down)
        let bounded = seconds.isNaN ? 0 : min(max(seconds, Self.range.lowerBound), Self.range.upperBound)
        self.date = Date(timeIntervalSinceReferenceDate: bounded)
    }

    /// Parses `2024-05-01T12:00:00`, with or without fractions of a second (which are dropped) and a
    /// zone.
    /// - Throws: `invalidArgument` for anything else.
    public init(_ text: String) throws(DevhostError) {
        var rest = text.contains(" ") ? Substring(text.replacing(" ", with: "T")) : Substring(text)
        let zone: Substring
        if let end = rest.firstIndex(where: { $0 == "Z" || $0 == "+" }) ?? rest.lastIndex(of: "-"),
            end > rest.startIndex,
            rest[..<end].contains("T")
        {
            zone = rest[end...]
            rest = rest[..<end]
        } else {
            zone = "Z"
        }
        if let dot = rest.firstIndex(of: ".") {
            guard Double("0" + rest[dot...]) != nil else {
                throw DevhostError(.invalidArgument, "\(text.quoted) is not an ISO 8601 date")
            }
            rest = rest[..<dot]
        }
        guard let whole = try? Date("\(rest)\(zone)", strategy: .iso8601),
            Self.range.contains(whole.timeIntervalSinceReferenceDate)
        else {
            throw DevhostError(.invalidArgument, "\(text.quoted) is not an ISO 8601 date")
        }
        date = whole
    }

    /// The moment in UTC to the second, with its zone as `+00:00`, which Python's parser takes too.
    public var description: String { date.formatted(.iso8601).replacing("Z", with: "+00:00") }

    /// Orders by time.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.date < right.date }
}

extension Timestamp: Codable {
    /// Decodes a date with the same check as ``init(_:)``.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in try Timestamp(text) }
    }

    /// Encodes the date in UTC.
    public func encode(to encoder: any Encoder) throws { try encoder.encodeText(description) }
}
