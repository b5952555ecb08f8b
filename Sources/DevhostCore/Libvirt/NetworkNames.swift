/// The names and reservations of a network, as its XML lists them: libvirt writes one element a line.
struct NetworkNames: Sendable {
    /// The names that its DNS answers, with their addresses.
    private(set) var names: [String: Set<String>] = [:]
    /// The addresses that its DHCP server keeps, by MAC address.
    private(set) var addresses: [String: String] = [:]

    init(xml: String) {
        var address: String?
        for line in xml.utf8.split(separator: UInt8(ascii: "\n")) {
            let text = line.drop { $0 == UInt8(ascii: " ") }
            if text.starts(with: "<host mac='".utf8) {
                if let mac = Self.attribute("mac", text), let ip = Self.attribute("ip", text) { addresses[mac] = ip }
            } else if text.starts(with: "<host ip='".utf8) {
                address = Self.attribute("ip", text)
            } else if text.starts(with: "<hostname>".utf8), let address {
                let name = text.dropFirst("<hostname>".utf8.count).prefix { $0 != UInt8(ascii: "<") }
                names[String(Substring(name)), default: []].insert(address)
            }
        }
    }

    private static func attribute(_ name: String, _ line: Substring.UTF8View) -> String? {
        guard let start = line.firstRange(of: "\(name)='".utf8)?.upperBound else { return nil }
        return String(Substring(line[start...].prefix { $0 != UInt8(ascii: "'") }))
    }
}
