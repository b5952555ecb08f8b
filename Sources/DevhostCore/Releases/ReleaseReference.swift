/// Says which release of the platform a VM is made from.
public enum ReleaseReference: Hashable, Sendable, CustomStringConvertible {
    /// A release of the catalog; without a name the latest one of its channel. Written `fcrs://channel/release`,
    /// `fcrs://channel/` or `fcrs://channel`.
    case catalog(ChannelName, ReleaseName?)
    /// A document of release metadata at a URL.
    case metadata(ResourceURL)
    /// An evaluation of Hydra, by its number.
    case hydra(UInt64)
    /// An image and a channel by their URLs, which no release vouches for.
    case image(ResourceURL, channel: ResourceURL?)

    /// Parses what `--release` takes: `fcrs://channel/release`, `fcrs://channel/` or the URL of release metadata.
    /// - Throws: `invalidArgument` for anything else.
    public init(_ text: String) throws(DevhostError) {
        let prefix = "fcrs://"
        guard text.lowercased().hasPrefix(prefix) else {
            do {
                self = .metadata(try ResourceURL(text))
            } catch {
                throw DevhostError(
                    .invalidArgument, "\(text.quoted) is not a release",
                    next: "use fcrs://CHANNEL/RELEASE, fcrs://CHANNEL/ or the http, https or file URL of its metadata")
            }
            return
        }
        let words = text.dropFirst(prefix.count).split(separator: "/", omittingEmptySubsequences: false)
        guard words.count <= 2, let channel = words.first else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not a release",
                next: "use fcrs://CHANNEL/RELEASE or fcrs://CHANNEL/")
        }
        let release = words.count == 2 && !words[1].isEmpty ? try ReleaseName(String(words[1])) : nil
        self = .catalog(try ChannelName(String(channel)), release)
    }

    /// Parses what `--hydra-eval` takes: the number of an evaluation.
    /// - Throws: `invalidArgument` for anything else.
    public init(hydraEvaluation text: String) throws(DevhostError) {
        // A record keeps it as a signed number, as other readers of JSON do.
        guard let number = UInt64(text), (1...UInt64(Int64.max)).contains(number),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else {
            throw DevhostError(
                .invalidArgument, "\(text.quoted) is not the number of a Hydra evaluation", next: "use a whole number")
        }
        self = .hydra(number)
    }

    /// What a record keeps of it and ``init(_:)`` takes again, secrets in a URL included; nil for what `--release` does
    /// not take.
    public var recordText: String? {
        switch self {
        case .catalog: description
        case .metadata(let url): url.description
        case .hydra, .image: nil
        }
    }

    /// The reference as it is written, with what may be a secret in a URL left out.
    public var description: String {
        switch self {
        case .catalog(let channel, let release): "fcrs://\(channel)/\(release?.description ?? "")"
        case .metadata(let url): url.redacted
        case .hydra(let number): "Hydra evaluation \(number)"
        case .image(let url, _): url.redacted
        }
    }
}
