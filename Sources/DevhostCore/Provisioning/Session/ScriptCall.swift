/// What arrives from the script: one use of a verb, or a line that failed.
struct ScriptCall: Sendable {
    /// What it is about.
    enum Kind: String, Sendable {
        /// A verb with its words.
        case verb
        /// A command of the script ended with another status than 0 and nothing in the script caught it.
        case failure
        /// rsync asks for its way into the guest.
        case transport
    }

    let kind: Kind
    /// The fields that follow the kind, byte by byte: words of a shell need not be UTF-8.
    let fields: [[UInt8]]

    /// Reads a call: fields that end in a NUL.
    /// - Throws: `damaged` for anything else.
    init(_ bytes: [UInt8]) throws(DevhostError) {
        guard bytes.last == 0 else { throw DevhostError(.damaged, "a call of the script is incomplete") }
        let fields = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
        guard let kind = fields.first.flatMap({ Kind(rawValue: String(decoding: $0, as: UTF8.self)) }) else {
            throw DevhostError(.damaged, "a call of the script cannot be understood")
        }
        self.kind = kind
        self.fields = Array(fields.dropFirst())
    }

    /// The field as text; empty where there is none.
    func text(_ index: Int) -> String {
        index < fields.count ? String(decoding: fields[index], as: UTF8.self) : ""
    }
}
