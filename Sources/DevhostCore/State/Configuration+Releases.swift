extension ChannelRules {
    init(_ reader: inout ConfigurationReader) throws(DevhostError) {
        self.init(
            access: try reader.value("releases", "publish", "owner", ConfigurationReader.choice),
            publishers: try reader.value("releases", "publishers", "", ConfigurationReader.publishers),
            userReleases: try reader.value("releases", "user-releases", "50", ConfigurationReader.count),
            userSize: try reader.value("releases", "user-size", "100G") { text throws(DevhostError) -> UInt64? in
                text == "none" ? nil : try ConfigurationReader.amount(text)
            })
    }
}

extension ConfigurationReader {
    /// A channel a line, with the names of the users who may publish into it.
    fileprivate static func publishers(_ text: String) throws(DevhostError) -> [ChannelName: Set<String>] {
        var publishers: [ChannelName: Set<String>] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let first = words.first else { continue }
            guard words.count > 1 else { throw refused(first, "a channel with users behind it") }
            publishers[try ChannelName(first), default: []].formUnion(words.dropFirst())
        }
        return publishers
    }
}
