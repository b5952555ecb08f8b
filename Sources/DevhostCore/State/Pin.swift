/// How long clean-up leaves a VM alone.
public enum Pin: Sendable, Hashable {
    /// Until it is told otherwise.
    case forever
    /// Until a moment.
    case until(Timestamp)

    /// Whether it holds at a moment.
    public func holds(at now: Timestamp) -> Bool {
        switch self {
        case .forever: true
        case .until(let end): now < end
        }
    }

    /// Whether it ends earlier than another one.
    func ends(before other: Pin) -> Bool {
        switch (self, other) {
        case (.forever, _): false
        case (.until, .forever): true
        case (.until(let end), .until(let otherEnd)): end < otherEnd
        }
    }

    /// Its end; nil where it has none.
    var until: String? {
        switch self {
        case .forever: nil
        case .until(let end): end.description
        }
    }
}

extension Pin: Codable {
    private static let foreverText = "forever"

    /// Decodes what ``encode(to:)`` wrote.
    public init(from decoder: any Decoder) throws {
        self = try decoder.parse { text throws(DevhostError) in
            text == Self.foreverText ? .forever : .until(try Timestamp(text))
        }
    }

    /// Encodes `forever` or a date.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .forever: try encoder.encodeText(Self.foreverText)
        case .until(let end): try encoder.encodeText(end.description)
        }
    }
}
