extension String {
    /// The text of a file of settings.
    /// - Throws: `invalidConfiguration` for bytes that are no UTF-8, without showing any: replacing them would change a
    ///   value and tell nobody.
    init(settings content: [UInt8], source: String) throws(DevhostError) {
        guard let text = String(validating: content, as: UTF8.self) else {
            throw DevhostError(
                .invalidConfiguration, "cannot read \(source): it is not UTF-8", next: "save it in that encoding")
        }
        self = text
    }
}
