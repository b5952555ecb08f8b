/// An XML element to be written: what libvirt takes. All text is escaped here and nowhere else.
struct XMLElement: Sendable {
    private let name: String
    private let attributes: [(name: String, value: String)]
    private let text: String?
    private let children: [XMLElement]

    /// Attributes without a value (nil) are left out.
    init(_ name: String, _ attributes: KeyValuePairs<String, String?> = [:], _ children: [XMLElement?] = []) {
        self.name = name
        self.attributes = attributes.compactMap { pair in pair.value.map { (pair.key, $0) } }
        self.text = nil
        self.children = children.compactMap { $0 }
    }

    init(_ name: String, _ attributes: KeyValuePairs<String, String?> = [:], text: String) {
        self.name = name
        self.attributes = attributes.compactMap { pair in pair.value.map { (pair.key, $0) } }
        self.text = text
        self.children = []
    }

    /// The element and all below it, without blanks between them.
    var rendered: String {
        var output = ""
        render(into: &output)
        return output
    }

    private func render(into output: inout String) {
        output += "<\(name)"
        for attribute in attributes { output += " \(attribute.name)='\(Self.escape(attribute.value))'" }
        guard text != nil || !children.isEmpty else {
            output += "/>"
            return
        }
        output += ">"
        if let text { output += Self.escape(text) }
        for child in children { child.render(into: &output) }
        output += "</\(name)>"
    }

    /// Text as libvirt writes it within an element, where ``escape(_:)`` is undone.
    static func unescape(_ text: String) -> String {
        [("&lt;", "<"), ("&gt;", ">"), ("&apos;", "'"), ("&quot;", "\""), ("&amp;", "&")].reduce(text) {
            $0.replacing($1.0, with: $1.1)
        }
    }

    static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "'": result += "&apos;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
