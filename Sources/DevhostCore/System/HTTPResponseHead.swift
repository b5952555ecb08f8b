/// What a server says of a resource by which a later request can ask whether it has changed (RFC 9110, 8.8).
public struct HTTPValidators: Sendable, Hashable, Codable {
    /// The `ETag` header.
    public var etag: String?
    /// The `Last-Modified` header.
    public var lastModified: String?

    /// Makes a value.
    public init(etag: String? = nil, lastModified: String? = nil) {
        self.etag = etag
        self.lastModified = lastModified
    }

    /// Whether a request can be made conditional at all.
    package var isEmpty: Bool { etag == nil && lastModified == nil }

    /// What `If-Range` may hold: weak validators cannot vouch for a part of a resource (RFC 9110, 13.1.5).
    var forRange: String? { etag.flatMap { $0.hasPrefix("W/") ? nil : $0 } ?? lastModified }

    /// The most bytes of a validator that is kept: a server writes what it likes into these headers, and each stands in a
    /// file of ours as long as the image does. Those of real servers have fewer than a hundred.
    package static let longest = 512

    /// Without what is too long to be kept: nothing is asked conditionally by it then, and what it described is fetched
    /// anew.
    package var bounded: HTTPValidators {
        func kept(_ text: String?) -> String? { text.flatMap { $0.utf8.count <= Self.longest ? $0 : nil } }
        return HTTPValidators(etag: kept(etag), lastModified: kept(lastModified))
    }

    enum CodingKeys: String, CodingKey {
        case etag
        case lastModified = "last_modified"
    }
}

/// The head of a response, read from what curl writes of it.
struct HTTPResponseHead {
    var status = 0
    /// Names in lower case; the last of several values.
    var fields: [String: String] = [:]

    var validators: HTTPValidators {
        HTTPValidators(etag: fields["etag"], lastModified: fields["last-modified"]).bounded
    }

    var contentLength: UInt64? { fields["content-length"].flatMap { UInt64($0) } }

    /// `bytes 100-199/200` or `bytes 100-199/*` (RFC 9110, 14.4).
    var contentRange: (start: UInt64, total: UInt64?)? {
        guard let text = fields["content-range"], text.lowercased().hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "/")
        guard parts.count == 2, let start = parts[0].split(separator: "-").first.flatMap({ UInt64($0) }) else {
            return nil
        }
        return (start, UInt64(parts[1]))
    }
}

/// Reads the heads that curl writes, one for each response on the way: redirects, then the last one.
struct HTTPHeadParser {
    /// A server may say this much, all in all, before it is cut short.
    private static let limit = 256 << 10

    private var pending: [UInt8] = []
    private var count = 0
    /// The head of the last response that began.
    private(set) var head = HTTPResponseHead()
    /// Where the redirects so far led to, as the servers wrote it.
    private(set) var locations: [String] = []

    mutating func take(_ part: UnsafeRawBufferPointer) throws {
        count += part.count
        guard count <= Self.limit else { throw DevhostError(.refused, "the headers that the server sends do not end") }
        pending += part
        while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: pending[..<end], as: UTF8.self).trimmed
            pending.removeFirst(end + 1)
            read(line)
        }
    }

    private mutating func read(_ line: String) {
        if line.hasPrefix("HTTP/") {
            head = HTTPResponseHead()
            head.status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        } else if let colon = line.firstIndex(of: ":") {
            let name = line[..<colon].lowercased()
            let value = String(line[line.index(after: colon)...]).trimmed
            head.fields[name] = value
            if name == "location", (300..<400).contains(head.status) { locations.append(value) }
        }
    }
}
