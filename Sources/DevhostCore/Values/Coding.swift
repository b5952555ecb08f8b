extension Decoder {
    /// Decodes a string and parses it; a refused value becomes a decoding error that says why.
    package func parse<Value>(_ parse: (String) throws(DevhostError) -> Value) throws -> Value {
        let container = try singleValueContainer()
        let text = try container.decode(String.self)
        do {
            return try parse(text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }
}

extension Encoder {
    package func encodeText(_ text: String) throws {
        var container = singleValueContainer()
        try container.encode(text)
    }
}
