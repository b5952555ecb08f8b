/// Which image a template is made of.
public enum TemplateSource: Sendable, Hashable {
    /// An image in the store, by its digest or the beginning of it.
    case stored(String)
    /// The image of a release.
    case release(ReleaseReference)

    /// Parses a digest or at least eight digits of one, the URL of an image, or a release `fcrs://CHANNEL/RELEASE`.
    /// - Throws: `invalidArgument` for anything else.
    public init(_ text: String) throws(DevhostError) {
        if (8...64).contains(text.utf8.count), text.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) {
            self = .stored(text)
        } else if text.hasPrefix("fcrs:") {
            self = .release(try ReleaseReference(text))
        } else {
            self = .release(.image(try ResourceURL(text), channel: nil))
        }
    }
}

/// The name of a template: 16 hex digits.
public struct TemplateName: Sendable, Hashable, CustomStringConvertible {
    /// The name.
    public let description: String

    /// Parses a name.
    /// - Throws: `invalidArgument` for anything else.
    public init(_ text: String) throws(DevhostError) {
        guard TemplateStore.isKey(text) else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not the name of a template",
                next: "see 'fc-devhost templates' for their names")
        }
        description = text
    }
}
