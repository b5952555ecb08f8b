/// The rule that names of VMs and aliases share: one label of a host name (RFC 1123), in lower case.
package enum DNSLabel {
    package static let rule = "1 to 63 of a-z, 0-9 and '-', starting and ending with a letter or a digit"

    package static func isValid(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...63).contains(bytes.count), bytes.allSatisfy(isLabelByte) else { return false }
        return bytes.first != UInt8(ascii: "-") && bytes.last != UInt8(ascii: "-")
    }

    /// The label that is most like a text: in lower case, with a hyphen in the place of what no label holds; nil where
    /// nothing of the text can stand in one.
    package static func nearest(to text: String) -> String? {
        var bytes: [UInt8] = []
        for scalar in text.lowercased().unicodeScalars {
            let byte = UInt8(exactly: scalar.value).flatMap { isLabelByte($0) ? $0 : nil } ?? UInt8(ascii: "-")
            if byte == UInt8(ascii: "-"), bytes.isEmpty || bytes.last == byte { continue }
            bytes.append(byte)
            if bytes.count == 63 { break }
        }
        if bytes.last == UInt8(ascii: "-") { bytes.removeLast() }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    package static func isAllDigits(_ text: String) -> Bool {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
